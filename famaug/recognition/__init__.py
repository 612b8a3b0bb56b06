"""Does it help? Flow features, recognisers, training by subject, scores, and the ratio ablation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from famaug.named import lazily

if TYPE_CHECKING:
    from famaug.flow.pictures import flow_features as flow_features
    from famaug.recognition.inputs import InputSpec as InputSpec
    from famaug.recognition.inputs import as_input as as_input
    from famaug.recognition.metrics import confusion_counts as confusion_counts
    from famaug.recognition.metrics import scores as scores
    from famaug.recognition.recognisers import build_recogniser as build_recogniser
    from famaug.recognition.saved import save_recogniser as save_recogniser
    from famaug.recognition.start import load_recogniser as load_recogniser

_LAZY = {
    "InputSpec": "famaug.recognition.inputs",
    "as_input": "famaug.recognition.inputs",
    "build_recogniser": "famaug.recognition.recognisers",
    "confusion_counts": "famaug.recognition.metrics",
    "flow_features": "famaug.flow.pictures",
    "load_recogniser": "famaug.recognition.start",
    "save_recogniser": "famaug.recognition.saved",
    "scores": "famaug.recognition.metrics",
}

__all__ = sorted(_LAZY)
__getattr__ = lazily(__name__, _LAZY)
