"""Where nothing can be written: an error of the project's own, and nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

JOBS = {
    "a measurement": """
from famaug.pipeline.measurements import FaceRecord, MeasuredStore
MeasuredStore(out).put_face("f", FaceRecord({"digest": "x" * 9000}, (8, 8), None))
""",
    "a refusal": """
from famaug.pipeline.measurements import MeasuredStore
MeasuredStore(out).refuse("faces", "f", "x" * 9000)
""",
    "a network": """
import torch
from famaug.weights.tensor_files import save_tensors
save_tensors(out / "net.safetensors", {"w": torch.zeros(9000)}, {})
""",
    "an AU table": """
from famaug.aus.table import write_table
from famaug.types import AUTrack
write_table(AUTrack.of(np.ones((99, 2, 17)), estimator="t"), out / "t.csv")
""",
    "a clip's frames": """
from famaug.media.clips import write_clip
write_clip(out / "clip", noise, fps=25, plan=None)
""",
    "a video": """
from famaug.media.clips import write_clip
write_clip(out / "clip.mp4", noise, fps=25, plan=None)
""",
    "a page": """
from famaug.files.whole import write_whole
write_whole(out / "page.html", "x" * 9000)
""",
    "a recognition input": """
from famaug.recognition.feature_cache import dataset_inputs
from famaug.recognition.inputs import InputSpec
from famaug.types import Clip, ClipRef
clip = Clip(ClipRef("x", "s", "c", onset=0, apex=2, offset=3), noise)
dataset_inputs([(clip, 0)], InputSpec(kind="pair", size=64), folder=out)
""",
    "a manifest": """
from famaug.store import seal
seal(cache)
""",
    "an export": """
from famaug.store import export_png
export_png(cache, out)
""",
    "a tar": """
from famaug.store import export_webdataset
export_webdataset(cache, out / "x.tar")
""",
}
JOB = """
import hashlib, json, resource, sys
from pathlib import Path
import numpy as np, torch
from famaug.errors import FamaugError
from famaug.store import CacheWriter
root, jobs = Path(sys.argv[1]), json.loads(sys.argv[2])
noise = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
with CacheWriter(root / "cache") as writer:
    writer.put(hashlib.sha256(b"a").hexdigest(), noise, None)
for name in jobs:
    (root / name).mkdir()
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
for name, code in jobs.items():
    try:
        exec(code, {"out": root / name, "cache": root / "cache", "noise": noise, "np": np})
        told = "it was written"
    except FamaugError as error:
        told = f"{type(error).__name__}: {error}"
    except BaseException as error:
        told = f"raw {error!r}"
    print(json.dumps([name, told]), flush=True)
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """What became of each job, all done in one process that may write files of 100 bytes."""
    root = tmp_path_factory.mktemp("full")
    done = subprocess.run(
        [sys.executable, "-c", JOB, str(root), json.dumps(JOBS)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return root, dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("what", JOBS)
def test_a_full_disk(told: tuple[Path, dict[str, str]], what: str) -> None:
    root, ends = told
    assert ends[what].split(":")[0].endswith("Error"), ends[what]
    assert not ends[what].startswith("raw"), ends[what]
    if what in ("a measurement", "a refusal", "a manifest"):
        assert ends[what].startswith("CacheFullError"), ends[what]
    assert not [p for p in (root / what).rglob("*") if p.is_file()]
    assert not [p.name for p in (root / "cache").iterdir() if p.name.startswith(".")]
