"""USE: real and synthetic clips as one PyTorch dataset, folds by subject, and the leakage guard.

Start with `MicroExpressionSynth` (synth.py) and `leave_one_subject_out` (folds.py). Readers of the
public data sets are in `readers/`, the MEGC2019 composite in megc2019.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from famaug.errors import MissingPackageError
from famaug.named import lazily
from famaug.packages import stand_in

if TYPE_CHECKING:
    from famaug.data.albument import SynthClip as SynthClip
    from famaug.data.clips import ClipFolder as ClipFolder
    from famaug.data.folds import Fold as Fold
    from famaug.data.folds import SubjectSubset as SubjectSubset
    from famaug.data.folds import k_fold_by_subject as k_fold_by_subject
    from famaug.data.folds import leave_one_dataset_out as leave_one_dataset_out
    from famaug.data.folds import leave_one_subject_out as leave_one_subject_out
    from famaug.data.guard import Guard as Guard
    from famaug.data.look_fit import fit_look as fit_look
    from famaug.data.meb import MebClips as MebClips
    from famaug.data.megc2019 import Megc2019 as Megc2019
    from famaug.data.readers.casme import Casme as Casme
    from famaug.data.readers.casme2 import Casme2 as Casme2
    from famaug.data.readers.casme3 import CasMe3 as CasMe3
    from famaug.data.readers.dfme import Dfme as Dfme
    from famaug.data.readers.fourdme import FourDme as FourDme
    from famaug.data.readers.mmew import Mmew as Mmew
    from famaug.data.readers.samm import Samm as Samm
    from famaug.data.readers.smic import Smic as Smic
    from famaug.data.readers.smic import SmicLong as SmicLong
    from famaug.data.sampling import pad_clips as pad_clips
    from famaug.data.sampling import sample_clip as sample_clip
    from famaug.data.synth import MicroExpressionSynth as MicroExpressionSynth
    from famaug.data.synth import as_pair as as_pair
    from famaug.data.transforms import SynthTransform as SynthTransform
    from famaug.look.files import load_look as load_look
    from famaug.look.files import save_look as save_look
    from famaug.look.look import Look as Look

_LAZY = {
    "CasMe3": "famaug.data.readers.casme3",
    "Casme": "famaug.data.readers.casme",
    "Casme2": "famaug.data.readers.casme2",
    "ClipFolder": "famaug.data.clips",
    "Dfme": "famaug.data.readers.dfme",
    "Fold": "famaug.data.folds",
    "FourDme": "famaug.data.readers.fourdme",
    "Guard": "famaug.data.guard",
    "Look": "famaug.look.look",
    "MebClips": "famaug.data.meb",
    "Megc2019": "famaug.data.megc2019",
    "MicroExpressionSynth": "famaug.data.synth",
    "Mmew": "famaug.data.readers.mmew",
    "Samm": "famaug.data.readers.samm",
    "Smic": "famaug.data.readers.smic",
    "SmicLong": "famaug.data.readers.smic",
    "SubjectSubset": "famaug.data.folds",
    "SynthClip": "famaug.data.albument",
    "SynthTransform": "famaug.data.transforms",
    "as_pair": "famaug.data.synth",
    "fit_look": "famaug.data.look_fit",
    "k_fold_by_subject": "famaug.data.folds",
    "leave_one_dataset_out": "famaug.data.folds",
    "leave_one_subject_out": "famaug.data.folds",
    "load_look": "famaug.look.files",
    "pad_clips": "famaug.data.sampling",
    "sample_clip": "famaug.data.sampling",
    "save_look": "famaug.look.files",
}

__all__ = list(_LAZY)


_found = lazily(__name__, _LAZY)


def __getattr__(name: str) -> Any:
    try:
        return _found(name)
    except MissingPackageError as error:
        return stand_in(name, error)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
