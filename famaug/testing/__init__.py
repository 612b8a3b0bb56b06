"""What users test with, without any licensed file.

`make_clip` makes small clips of formulas; `make_replica` makes folders that look like a data set's
release; `make_openface` writes tables like OpenFace's, with invented numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from famaug.named import lazily

if TYPE_CHECKING:
    from famaug.testing.clips import make_clip as make_clip
    from famaug.testing.openface_tables import make_openface as make_openface
    from famaug.testing.replica import make_replica as make_replica

_LAZY = {
    "make_clip": "famaug.testing.clips",
    "make_openface": "famaug.testing.openface_tables",
    "make_replica": "famaug.testing.replica",
}

__all__ = sorted(_LAZY)
__getattr__ = lazily(__name__, _LAZY)
