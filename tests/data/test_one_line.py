"""The quick start's promise: an existing script becomes an augmented one by changing one line."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from famaug.data import Casme2
from famaug.store import CacheWriter
from famaug.types import ClipRef, Plan, Provenance

DOCS = Path(__file__).parents[2] / "docs" / "data.md"

BEFORE = '''
import torch
from torch.utils.data import DataLoader
from famaug.data import Casme2, leave_one_subject_out

def pair(frames):
    """Onset-to-apex change in a small picture."""
    change = frames.float()[[0, len(frames) // 2]].diff(dim=0)[0].mean(-1)
    return torch.nn.functional.interpolate(change[None, None], size=(16, 16))[0, 0]

def collate(items):
    x = torch.stack([pair(torch.as_tensor(clip.frames)) for clip, _ in items])
    return x, torch.tensor([label for _, label in items])

casme2 = Casme2(ROOT, label="three", numbered=True)
fold = leave_one_subject_out(casme2)[0]
train = fold.train
loader = DataLoader(train, batch_size=4, shuffle=False, collate_fn=collate)
net = torch.nn.Linear(256, 3)
sgd = torch.optim.SGD(net.parameters(), lr=0.01)
seen = 0
for x, y in loader:
    loss = torch.nn.functional.cross_entropy(net(x.flatten(1)), y)
    sgd.zero_grad(); loss.backward(); sgd.step()
    seen += len(y)
'''
OLD = "train = fold.train"
NEW = 'train = MicroExpressionSynth(fold.train, ratio=0.5, cache=CACHE, items="clip")'
AFTER = BEFORE.replace(OLD, NEW)


def run(script: str, root: Path, cache: Path) -> dict[str, Any]:
    from famaug.data import MicroExpressionSynth

    names: dict[str, Any] = {
        "ROOT": root,
        "CACHE": cache,
        "MicroExpressionSynth": MicroExpressionSynth,
    }
    torch.manual_seed(0)
    exec(compile(script, "script.py", "exec"), names)
    return names


@pytest.fixture
def cache(tmp_path: Path, replica: Callable[..., Path]) -> Path:
    """Clips of the first four people on each other's faces, labelled as CASME II is."""
    data = Casme2(replica("casme2", subjects=4, clips=16))
    with CacheWriter(tmp_path / "cache") as writer:
        for n, ref in enumerate(data.refs):
            other = next(r for r in data.refs[n:] + data.refs if r.subject != ref.subject)
            plan = Plan(
                _side(ref), _side(other), [[[0.0] * 17] * 2], "test/1", "", 64, 200.0, seed=n
            )
            story = Provenance(
                plan, f"casme2/{ref.subject}", f"casme2/{other.subject}", ref.emotion, "driver"
            )
            writer.put(plan.key, data[n][0].frames[:4], story)
    return tmp_path / "cache"


def _side(ref: ClipRef) -> dict[str, Any]:
    return {"dataset": ref.dataset, "subject": ref.subject, "name": ref.key, "digest": ref.key}


def test_one_line_augments_a_script(replica: Callable[..., Path], cache: Path) -> None:
    changed = [
        line for line in difflib.ndiff(BEFORE.splitlines(), AFTER.splitlines()) if line[0] in "+-"
    ]
    assert changed == [f"- {OLD}", f"+ {NEW}"]
    root = replica("casme2", subjects=4, clips=16)
    before, after = run(BEFORE, root, cache), run(AFTER, root, cache)
    count = len(before["fold"].train)
    assert before["seen"] == count
    assert after["seen"] == count + round(0.5 * count)
    assert set(after["train"].excluded) >= {"driver subject held out", "identity subject held out"}


def test_ratio_zero_changes_nothing(replica: Callable[..., Path], cache: Path) -> None:
    root = replica("casme2", subjects=4, clips=16)
    zero = AFTER.replace("ratio=0.5", "ratio=0")
    before, after = run(BEFORE, root, cache), run(zero, root, cache)
    assert torch.equal(before["net"].weight, after["net"].weight)


def test_the_docs_show_this_line() -> None:
    text = DOCS.read_text()
    assert f"-{OLD}" in text
    assert f"+{NEW}".replace("CACHE", '"cache/casme2"') in text
