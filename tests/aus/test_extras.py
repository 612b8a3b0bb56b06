"""The optional estimators. Their packages are not installed here (their models are licensed), so
modules with the calls and tables of pyfaceau 1.4 and py-feat 2.1 stand in for them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from famaug.aus.protocol import measure
from famaug.aus.pyfaceau import PyFaceAU, write_lossless
from famaug.aus.pyfeat import PyFeat
from famaug.errors import InputError, MissingPackageError, TrackError
from famaug.types import AU_INDEX

PYFACEAU = """
import cv2, numpy as np, pandas as pd
AUS = [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45]
class FullPythonAUPipeline:
    def __init__(self, *, verbose=True):
        pass
    def process_video(self, video_path, output_csv=None, max_frames=None, progress_callback=None):
        film, rows = cv2.VideoCapture(video_path), []
        while True:
            ok, frame = film.read()
            if not ok:
                break
            level = frame[0, 0, 2] / 51  # the red of the first pixel
            if level == 5:
                raise RuntimeError("models are missing")
            row = {"frame": len(rows), "timestamp": len(rows) / 30, "success": level > 0}
            rows.append(row | {f"AU{a:02d}_r": level for a in AUS})
        return pd.DataFrame(rows)
"""

PYFEAT = """
import numpy as np, pandas as pd
class Detectorv2:
    def __init__(self, device="cpu", face_detection_threshold=0.5, identity_model="arcface"):
        assert identity_model is None
    def detect(self, inputs, data_type="image", progress_bar=True, **kwargs):
        assert data_type == "tensor" and tuple(inputs.shape[1:]) == (3, 32, 32)
        level = inputs[:, 0, 0, 0].numpy() / 255
        rows = []
        for i, v in enumerate(level):
            v = v or np.nan
            face = {"frame": i, "FaceScore": 0.9 * v / v}
            rows.append(face | {"AU01": v, "AU12": v / 2, "AU43": 1})
            rows.append({"frame": i, "FaceScore": 0.3 * v / v, "AU01": 1, "AU12": 1})
        return pd.DataFrame(rows)
"""


def clip(*levels: int) -> np.ndarray:
    """Frames whose first pixel is red to this degree; the stand-ins read it."""
    frames = np.full((len(levels), 32, 32, 3), 90, np.uint8)
    frames[:, :8, :8] = 0
    frames[:, :8, :8, 0] = np.asarray(levels)[:, None, None]
    return frames


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {"pyfaceau": PYFACEAU, "feat": PYFEAT}.items():
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyfaceau", "feat"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingPackageError, match=r'pyfaceau.* pip install "famaug\[pyfaceau\]"'):
        PyFaceAU()
    with pytest.raises(MissingPackageError, match=r'py-feat.* pip install "famaug\[estimators\]"'):
        PyFeat()


@pytest.mark.usefixtures("stand_ins")
def test_pyfaceau() -> None:
    track = measure(PyFaceAU(), clip(51, 102, 0, 204), fps=100)
    assert np.allclose(track.intensity[[0, 1, 3], 0, 0], [1, 2, 4], atol=0.05)
    assert track.missing.tolist() == [False, False, True, False]
    assert (track.sided, track.scale, track.fps) == (False, "openface", 100)
    assert track.estimator.startswith("pyfaceau/")
    with pytest.raises(InputError, match=r"pyfaceau failed: models are missing.*download-models"):
        PyFaceAU().measure(clip(255, 255))


def test_the_video_for_pyfaceau_is_lossless(tmp_path: Path) -> None:
    import cv2

    frames = np.random.Generator(np.random.Philox(1)).integers(0, 256, (3, 32, 48, 3), np.uint8)
    write_lossless(frames, tmp_path / "a.avi")
    film = cv2.VideoCapture(str(tmp_path / "a.avi"))
    back = np.stack([film.read()[1][..., ::-1] for _ in range(3)])
    assert np.abs(back.astype(int) - frames).max() <= 1


@pytest.mark.usefixtures("stand_ins")
def test_pyfeat() -> None:
    track = measure(PyFeat(), clip(51, 102, 0, 204))
    assert np.allclose(track.intensity[[0, 1, 3], :, AU_INDEX[1]], [[1, 1], [2, 2], [4, 4]])
    assert np.allclose(track.intensity[[0, 1, 3], 0, AU_INDEX[12]], [0.5, 1, 2])
    assert np.allclose(track.confidence[0, :, AU_INDEX[1]], 0.9)
    assert track.missing.tolist() == [False, False, True, False]
    assert np.isnan(track.intensity[:, :, AU_INDEX[45]]).all()
    assert (track.sided, track.scale) == (False, "pyfeat")
    with pytest.raises(TrackError, match="no face in any of 2 frames"):
        measure(PyFeat(), clip(0, 0))
