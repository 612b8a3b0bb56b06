"""For tests: a CC0 head that is rendered with given AUs, pose and light, and its exact truth.

    from famaug.testing import default_head, render_truth, truth_clip

    truth = render_truth(default_head().identity(3), aus, size=400)
    truth.picture, truth.landmarks, truth.aus, truth.flow

`make_clip` makes small clips of formulas, without any file; `make_replica` makes folders that look
like a data set's release; `make_openface` writes tables like OpenFace's, with invented numbers.
The head's data are fetched once by name (`famaug.weights.fetch`); rays need the package embreex.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from famaug.testing.clips import make_clip as make_clip
    from famaug.testing.head import Identity as Identity
    from famaug.testing.head import MakeHumanHead as MakeHumanHead
    from famaug.testing.light import Light as Light
    from famaug.testing.openface_tables import make_openface as make_openface
    from famaug.testing.rays import Pose as Pose
    from famaug.testing.replica import make_replica as make_replica
    from famaug.testing.truth import Truth as Truth
    from famaug.testing.truth import TruthClip as TruthClip
    from famaug.testing.truth import default_head as default_head
    from famaug.testing.truth import render_truth as render_truth
    from famaug.testing.truth import truth_clip as truth_clip

_LAZY = {
    "Identity": "famaug.testing.head",
    "Light": "famaug.testing.light",
    "MakeHumanHead": "famaug.testing.head",
    "Pose": "famaug.testing.rays",
    "Truth": "famaug.testing.truth",
    "TruthClip": "famaug.testing.truth",
    "default_head": "famaug.testing.truth",
    "make_clip": "famaug.testing.clips",
    "make_openface": "famaug.testing.openface_tables",
    "make_replica": "famaug.testing.replica",
    "render_truth": "famaug.testing.truth",
    "truth_clip": "famaug.testing.truth",
}

__all__ = sorted(_LAZY)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'famaug.testing' has no attribute {name!r}")
