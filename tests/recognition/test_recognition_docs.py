"""The code in docs/recognition.md runs as it stands, on a replica."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from famaug.store import CacheWriter
from famaug.testing import make_clip, make_replica
from famaug.types import Plan, Provenance

PAGE = Path(__file__).resolve().parents[2] / "docs" / "recognition.md"


def test_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for needed in ("torchvision", "timm", "lightning"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pytest.importorskip(needed)
    monkeypatch.chdir(tmp_path)
    make_replica("casme2", "data/CASME2", subjects=2, clips=6, longest=8)
    with CacheWriter(tmp_path / "cache" / "casme2") as writer:
        for i in range(6):
            plan = Plan({"n": i}, {"name": "x"}, [[[0.0] * 17] * 2], "g", "w", None, 10.0)
            story = Provenance(plan, "", "", ("happiness", "disgust", "surprise")[i % 3], "rule")
            writer.put(plan.key, make_clip(i, frames=5).frames, story)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, Any] = {}
    for block in blocks:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other libraries
            exec(compile(block, str(PAGE), "exec"), names)
    assert len(names["truth"]) == len(names["casme2"])
