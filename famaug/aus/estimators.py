"""The list of estimators of AUs (`famaug.aus.protocol` says what one is).

An estimator is asked for by a name of `ESTIMATORS`, or by `module:Class` of your own: a class that
is called without arguments (or with `device=` and `sizes=`, where it takes them) and gives an
`Estimator`. Behind a colon a name takes what its class needs ("openface-binary:/opt/OpenFace");
"halves:" before any makes it two-sided.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from famaug.aus.multisize import OverSizes
from famaug.aus.protocol import Estimator
from famaug.errors import InputError
from famaug.named import import_named

ESTIMATORS: dict[str, str] = {
    # famaug's own, two-sided, from landmarks and optical flow; needs nothing else
    "flow": "famaug.aus.flow_and_points:Flow",
    # its landmarks alone: fast, without AU06 and AU09
    "points": "famaug.aus.flow_and_points:Points",
    # your own OpenFace 2 (academic use only): FeatureExtraction on PATH, or named behind a colon
    "openface-binary": "famaug.aus.openface_binary:OpenFaceBinary",
    # CC BY-NC, with OpenFace's models; pip install "famaug[pyfaceau]", pyfaceau-download-models
    "pyfaceau": "famaug.aus.pyfaceau:PyFaceAU",
    # MIT, probabilities and not intensities; pip install "famaug[estimators]"
    "pyfeat": "famaug.aus.pyfeat:PyFeat",
}
HALVES = "halves:"


def find_estimator(
    estimator: str | Estimator, *, sizes: Sequence[int] = (0,), device: str = "cpu"
) -> Estimator:
    """The estimator of a name; what it needs is looked for now, before anything is measured.

    Args:
        estimator: as the module says; one that is made already is taken as it is.
        sizes: shifts of the pictures' height and width to average over (Eq. 1), by the estimator
            itself where it takes `sizes=`.
        device: for those that take `device=`.

    Raises:
        InputError: no such name, or not an `Estimator`.
        MissingPackageError: what it needs is not installed.
    """
    if isinstance(estimator, str) and estimator.startswith(HALVES):
        from famaug.aus.halves import BothHalves  # loads the face nets

        inner = find_estimator(estimator.removeprefix(HALVES), sizes=sizes, device=device)
        return BothHalves(inner, device=device)
    options = {"sizes": tuple(sizes), "device": device}
    own: list[str] = []
    if isinstance(estimator, str):
        name, _, rest = estimator.partition(":")
        make = import_named(name if name in ESTIMATORS else estimator, "estimator", ESTIMATORS)
        takes = inspect.signature(make).parameters
        own = [option for option in options if option in takes]
        given = [rest] if rest and name in ESTIMATORS else []
        if given and "program" not in takes:
            raise InputError(
                f"the estimator {name} takes nothing behind a colon; got {estimator!r}"
            )
        found: Any = make(*given, **{option: options[option] for option in own})
    else:
        found = estimator
    lacks = [n for n in ("name", "version", "licence", "scale") if not _is_text(found, n)]
    lacks += [] if callable(getattr(found, "measure", None)) else ["measure(frames, neutral)"]
    if lacks:
        raise InputError(
            f"{estimator!r} is no estimator: it lacks {', '.join(lacks)} "
            "(famaug.aus.protocol.Estimator says what one has)"
        )
    plain = "sizes" in own or tuple(sizes) == (0,)
    made: Estimator = found if plain else OverSizes(found, sizes)
    return made


def check_estimator(text: str) -> None:
    """Raises InputError for a name that is none, without loading one that ships."""
    bare = text.removeprefix(HALVES)
    if bare.partition(":")[0] not in ESTIMATORS:
        import_named(bare, "estimator", ESTIMATORS)


def _is_text(thing: Any, name: str) -> bool:
    return isinstance(getattr(thing, name, None), str)
