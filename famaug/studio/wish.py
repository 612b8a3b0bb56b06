"""What is asked for in the playground, and the command and the Python that make the same clip."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.modulation.rules import PREFIXES, parse_expression, timed_source
from famaug.modulation.sources import ExpressionSource
from famaug.types import AUS, LEFT, RIGHT

SEEDED = "generate"
"""What `famaug generate` draws from beside its seed."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One clip, in the words of `famaug generate`.

    Attributes:
        identity: name of the picture's file, as its owner knows it.
        driver: "aus:12L=1.5", "rule:positive", "stats:negative", or name of a clip's file.
        times: milliseconds from onset to apex and back; None draws them, and a clip has its own.
        fps: frames per second; None leaves them to the clip.
        peak: intensity that the strongest AU is scaled to, or None.
        generator, skin: what draws, and how strong its folds are; None for a generator without.
        size: side in pixels.
        seed: another draws another expression.
    """

    identity: str
    driver: str
    times: tuple[float, float] | None = None
    fps: float | None = 100.0
    peak: float | None = None
    generator: str = "warp"
    skin: float | None = None
    size: int = 256
    seed: int = 0

    @property
    def is_drawn(self) -> bool:
        """Whether the expression is by hand or drawn, not a clip's."""
        return self.driver.startswith(PREFIXES)

    @property
    def source(self) -> ExpressionSource:
        """Of a drawn expression. Raises InputError: one that cannot be."""
        source: ExpressionSource = parse_expression(self.driver)
        return source if self.times is None else timed_source(source, self.times)

    @property
    def options(self) -> Mapping[str, Any]:
        """Arguments of the Synthesizer, those that it would choose itself left out."""
        given = {"fps": self.fps, "peak": self.peak, "skin": self.skin}
        named = {} if self.generator == "warp" else {"generator": self.generator}
        return {"size": self.size} | named | {k: v for k, v in given.items() if v is not None}


def units_text(peak: NDArray[np.floating[Any]]) -> str:
    """Intensities `2 17` as "aus:4=1.5,12L=1"; "" where nothing moves."""
    parts = []
    for at, au in enumerate(AUS):
        left, right = (f"{float(peak[side, at]):g}" for side in (LEFT, RIGHT))
        if left == right != "0":
            parts.append(f"{au}={left}")
        elif left != right:
            sides = ((left, "L"), (right, "R"))
            parts += [f"{au}{letter}={value}" for value, letter in sides if value != "0"]
    return "aus:" + ",".join(parts) if parts else ""


def command_line(wish: Wish, out: str = "clip") -> str:
    """The command that writes the clip as PNG frames with its plan."""
    words = ["famaug", "generate", "--driver", wish.driver, "--identity", wish.identity]
    if wish.times is not None:
        words += ["--rise", f"{wish.times[0]:g}", "--fall", f"{wish.times[1]:g}"]
    for name, value in wish.options.items():
        words += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    if wish.seed:
        words += ["--seed", str(wish.seed)]
    return shlex.join([*words, "--out", out])


def python_text(wish: Wish, out: str = "clip") -> str:
    """The same in Python."""
    named = ["from famaug import Synthesizer", "from famaug.media.clips import write_clip"]
    driver = repr(wish.driver)
    if wish.times is not None:
        named.append("from famaug.modulation.rules import parse_expression, timed_source")
        rise, fall = wish.times
        driver = f"timed_source(parse_expression({driver}), ({rise:g}, {fall:g}))"
    named.append("from famaug.seeding import keyed_generator")
    options = ", ".join(f"{name}={value!r}" for name, value in wish.options.items())
    lines = [
        f"synthesizer = Synthesizer({options})",
        f"driver = {driver}",
        f"rng = keyed_generator({wish.seed}, {SEEDED!r})",
        f"plan = synthesizer.plan(driver, {wish.identity!r}, rng, seed={wish.seed})",
        "frames = synthesizer.render([plan])[0]  # uint8 T H W 3",
        f"write_clip(Path({out!r}), frames, fps=plan.fps, plan=plan)",
    ]
    return "\n".join(["from pathlib import Path", "", *named, "", *lines])
