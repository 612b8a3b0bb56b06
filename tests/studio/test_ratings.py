"""Ratings: saved one by one, exported, compared."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest

from famaug.errors import InputError, MediaError
from famaug.studio.halves import named_aus, read_aus
from famaug.studio.ratings import (
    HALVES,
    QUESTIONS,
    Rating,
    RatingBook,
    Sheet,
    agreement,
    as_csv,
    chosen,
    in_order,
    means,
)
from famaug.types import AU_INDEX

GOOD = {"aus": 3, "quality": 2, "noise": 1}


def items(count: int = 10) -> list[Sheet]:
    return [
        Sheet("real" if n % 2 else "warp/9", f"c/{n:02d}", half, "AU4")
        for n in range(count)
        for half in HALVES
    ]


def test_orders_are_shuffled_and_differ_between_raters() -> None:
    one, again, two = in_order(items(), "A"), in_order(items()[::-1], "A"), in_order(items(), "B")
    assert one == again
    assert one != two
    assert sorted(i.name for i in one) == sorted(i.name for i in items())
    assert len({i.half for i in one[:8]}) == len({i.system for i in one[:8]}) == 2


def test_of_each_system_as_many() -> None:
    found = chosen({"a": [f"a/{n}" for n in range(30)], "real": ["r/1", "r/2"]}, 5)
    assert len(found) == 7
    kept = [f"a/{n}" for n in range(30) if f"a/{n}" != found[0]]
    assert chosen({"a": kept, "real": ["r/1", "r/2"]}, 5)[:4] == found[1:5]  # one was rejected
    assert found == chosen({"real": ["r/2", "r/1"], "a": [f"a/{n}" for n in range(30)]}, 5)


def test_a_rating_is_kept_and_replaced(tmp_path: Path) -> None:
    book = RatingBook(tmp_path / "new" / "ratings")
    first, second = items()[:2]
    assert book.of("Ada") == set()
    book.add("Ada", first, GOOD)
    book.add(" Ada ", second, GOOD)
    book.add("Ada", first, GOOD | {"noise": 3})
    book.add("../../Bob", first, GOOD)
    assert RatingBook(book.folder).of("Ada") == {first.name, second.name}
    every = book.every()
    assert len(every) == 3
    assert {r.rater for r in every} == {"Ada", "../../Bob"}
    assert sorted(p.suffix for p in book.folder.iterdir()) == [".json", ".json"]
    (kept,) = (r for r in every if r.rater == "Ada" and r.half == first.half)
    assert kept == Rating("Ada", first.system, first.clip, first.half, GOOD | {"noise": 3})


@pytest.mark.parametrize("wrong", [{}, {"aus": 1}, GOOD | {"noise": 4}, GOOD | {"more": 1}])
def test_answers_that_cannot_be(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match="0 to 3"):
        RatingBook(tmp_path).add("A", items()[0], wrong)
    with pytest.raises(InputError, match="name"):
        RatingBook(tmp_path).add(" ", items()[0], GOOD)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("text", ["", "[]", '{"format": "famaug-ratings/1"}'])
def test_a_damaged_file_is_told(tmp_path: Path, text: str) -> None:
    book = RatingBook(tmp_path)
    book.file_of("A").write_text(text)
    with pytest.raises(InputError, match=r"rater-.*\.json"):
        book.every()
    book.file_of("A").write_text(
        json.dumps({"format": "famaug-ratings/1", "rater": "A", "ratings": {"x": {"aus": 9}}})
    )
    with pytest.raises(InputError, match="damaged"):
        book.of("A")


def test_csv_is_no_formula() -> None:
    table = as_csv([Rating("=cmd()", "warp/9", "c/1", "upper", GOOD)])
    rows = [*csv.reader(io.StringIO(table))]
    assert rows[0] == ["rater", "system", "clip", "half", *QUESTIONS]
    assert rows[1] == ["'=cmd()", "warp/9", "c/1", "upper", "3", "2", "1"]


def alpha_by_hand(units: list[list[int]]) -> float:
    """Krippendorff's alpha with squared differences, from its definition."""
    units = [u for u in units if len(u) > 1]
    seen = [v for u in units for v in u]
    observed = sum(
        sum((a - b) ** 2 for a, b in combinations(u, 2)) * 2 / (len(u) - 1) for u in units
    ) / len(seen)
    expected = sum((a - b) ** 2 for a, b in product(seen, seen)) / (len(seen) * (len(seen) - 1))
    return 1 - observed / expected


def test_agreement_is_krippendorffs() -> None:
    rng = np.random.default_rng(0)
    answers = [[int(v) for v in rng.integers(0, 4, n)] for n in (3, 3, 2, 3, 1, 2)]
    ratings = [
        Rating(f"r{r}", "s", f"c/{c}", "upper", {"aus": v, "quality": 2, "noise": c % 4})
        for c, row in enumerate(answers)
        for r, v in enumerate(row)
    ]
    found = agreement(ratings)
    assert found["upper aus"] == pytest.approx(alpha_by_hand(answers))
    assert found["upper noise"] == pytest.approx(1.0)
    assert found["upper quality"] is None  # all one answer
    assert found["lower aus"] is None  # nobody rated


def test_means_by_system() -> None:
    ratings = [
        Rating(r, i.system, i.clip, i.half, GOOD | {"aus": 3 * (i.system == "real")})
        for i in items(4)
        for r in ("A", "B")
    ]
    found = means(ratings)
    assert found["real"]["upper aus"] == 3
    assert found["warp/9"]["lower aus"] == 0
    assert found["real"]["clips"] == 2
    assert found["real"]["ratings"] == 8


KILLED = """
import sys
from pathlib import Path
from famaug.studio.ratings import Sheet, RatingBook
book = RatingBook(Path(sys.argv[1]))
for n in range(10_000):
    book.add("A", Sheet("s", f"c/{n}", "upper", ""), {"aus": 1, "quality": 1, "noise": 1})
    print(n, flush=True)
"""


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_saved(tmp_path: Path) -> None:
    done = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert done.stdout is not None
    last = [int(done.stdout.readline()) for _ in range(20)][-1]
    os.kill(done.pid, signal.SIGKILL)
    done.wait()
    kept = RatingBook(tmp_path).of("A")
    assert {f"c/{n}/upper" for n in range(last + 1)} <= kept


def test_aus_in_words(tmp_path: Path) -> None:
    x = np.zeros((3, 2, len(AU_INDEX)), np.float32)
    x[1, :, AU_INDEX[4]] = 1
    x[1, 0, AU_INDEX[12]] = 1
    x[1, 1, AU_INDEX[6]] = 0.1
    assert named_aus(x, "upper") == "AU4 brow lowerer"
    assert named_aus(x, "lower") == "AU12 lip corner puller (left)"
    assert "at rest" in named_aus(x[:1], "lower")
    with pytest.raises(MediaError, match=r"aus\.csv is needed"):
        read_aus(tmp_path)
    (tmp_path / "aus.csv").write_text("clip,aus\nEP02_01f.mp4,4+L12B\n")
    found = read_aus(tmp_path)["EP02_01f"]
    assert named_aus(found, "lower") == "AU12 lip corner puller (left)"
    assert found[0, 0, AU_INDEX[12]] == 2
    (tmp_path / "aus.csv").write_text("name,units\nx,4\n")
    with pytest.raises(MediaError, match="clip and aus are needed"):
        read_aus(tmp_path)
