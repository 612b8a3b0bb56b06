"""A CC0 head that is rendered with given AUs, pose and light, and its exact truth.

    from head import default_head, render_truth, truth_clip        (beside recipes/studies)

    truth = render_truth(default_head().identity(3), aus, size=400)
    truth.picture, truth.landmarks, truth.aus, truth.flow

The head's data are fetched once by name (`material.py`); rays need `pip install embreex`.
"""

from head.head import Identity, MakeHumanHead
from head.light import Light
from head.rays import Pose
from head.truth import Truth, TruthClip, default_head, render_truth, truth_clip

__all__ = [
    "Identity", "Light", "MakeHumanHead", "Pose", "Truth", "TruthClip", "default_head",
    "render_truth", "truth_clip",
]  # fmt: skip
