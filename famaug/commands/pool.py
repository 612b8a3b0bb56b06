"""`famaug pool`: measured clips of a data set as something to draw expressions from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from famaug.commands import options, terminal
from famaug.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command(
        "pool", epilog="Example: famaug pool casme2 data/CASME2 --kind stats --out fitted.json"
    )(options.grouped(pool_command))


@dataclass(frozen=True, kw_only=True)
class PoolChoice:
    """What is measured, and how.

    Attributes:
        kind: stats (which AUs together, how strong, how long), pairs (the way from onset to apex
            of single clips), or early (of macro-expressions: the moment when they have risen to a
            quarter to a half of their height).
        option: A further argument of the reader, as label=three or fps=100; may be repeated.
        held_out: A person whose clips are not measured; may be repeated.
        estimator: What measures the clips; as famaug aus --backend.
        fps: Frame rate, where the clips do not say.
        measured: Folder where measurements are kept for other runs.
    """

    kind: str
    option: list[str] | None = None
    held_out: list[str] | None = None
    estimator: str = "flow"
    fps: float | None = None
    measured: Path | None = None
    device: options.Device = "cpu"


def pool_command(
    reader: Annotated[
        str, typer.Argument(help="Data set: casme2, samm, ..., ClipFolder, or module:Class.")
    ],
    root: Annotated[Path, typer.Argument(help="Its folder.")],
    out: Annotated[Path, typer.Option(help="File to write (.json).")],
    *,
    choice: PoolChoice,
    as_json: options.AsJson = False,
) -> None:
    """Measure a data set's clips into a file that expressions are drawn from: --driver
    stats:FILE.json, pairs:FILE.json or early:FILE.json, each perhaps with :CLASS behind it.

    Whose clips went into a draw stands in it, so that no fold trains on a person it holds out.
    """
    from famaug.aus.estimators import check_estimator
    from famaug.modulation.fitted import KINDS

    with terminal.typed():
        check_estimator(choice.estimator)
        if choice.kind not in KINDS:
            raise UsageError(f"--kind is {', '.join(KINDS)}; got {choice.kind!r}")
        if out.suffix.lower() != ".json":
            raise UsageError(f"--out must end in .json; got {out}")
        given = options.named_values("--option", choice.option)
    from famaug.data.folds import without_people
    from famaug.data.pools import Kind, fit_pool
    from famaug.data.readers import open_named
    from famaug.modulation.pools import save_pool
    from famaug.pipeline.synthesizer import Synthesizer

    dataset = open_named(reader, root, given, "dataset")
    if choice.held_out:
        with terminal.typed():
            dataset = without_people(dataset, choice.held_out, what="--held-out")
    maker = Synthesizer(
        estimator=choice.estimator,
        fps=choice.fps,
        measured=choice.measured,
        device=choice.device,
    )
    with terminal.working():
        pool, skipped = fit_pool(dataset, cast(Kind, choice.kind), synthesizer=maker)
    save_pool(pool.to_json(), out)
    for reason, count in Counter(skipped.values()).most_common(terminal.SHOWN):
        terminal.note(f"{count} clips left out: {reason}")
    classes = Counter(map(str, pool.labels))
    terminal.echo(
        f"{len(pool)} of {len(dataset)} clips of {len(set(pool.subjects))} people "
        f"({', '.join(f'{name} {n}' for name, n in sorted(classes.items()))})\n"
        f"wrote {out}: --driver {choice.kind}:{out}"
    )
    figures: dict[str, Any] = {"out": str(out), "clips": len(pool), "classes": dict(classes)}
    terminal.end(as_json, "pool", figures | {"skipped": skipped})
