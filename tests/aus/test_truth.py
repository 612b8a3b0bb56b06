"""Labels tell what the plan or the table says, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from famaug.aus.truth import BLINK, TrueUnit, Truth, truth_of_provenance, truth_of_ref
from famaug.types import AU_INDEX, AUS, ClipRef, Plan, Provenance


def provenance(levels: dict[int, tuple[float, float]], **changes: Any) -> Provenance:
    """A plan that rises to these (left, right) in the middle of five frames."""
    track = np.zeros((5, 2, len(AUS)))
    for au, sides in levels.items():
        track[2, :, AU_INDEX[au]] = sides
    plan = Plan(
        {"kind": "clip", "name": "x", "dataset": "casme2"}, {"name": "y"}, track.tolist(),
        "warp/3", "", 64, 100.0,
    )  # fmt: skip
    values = {"driver": "casme2/sub01", "identity": "casme2/sub02", "label": "disgust"}
    return Provenance.of(plan, **{**values, **changes})


def test_a_plan_tells_units_sides_and_strengths() -> None:
    truth = truth_of_provenance(provenance({12: (2, 0), 6: (1, 0.5), 4: (0.3, 0.1)}), "key")
    assert truth.units == (
        TrueUnit(4, "brow lowerer", None, 0.3, 0.1),
        TrueUnit(6, "cheek raiser", "both", 1.0, 0.5),
        TrueUnit(12, "lip corner puller", "left", 2.0, 0.0),
    )
    assert set(truth.absent) == set(AUS) - {4, 6, 12}
    assert (truth.onset, truth.apex, truth.offset, truth.frames) == (1, 2, 3, 5)
    assert (truth.label, truth.label_source, truth.labelled_by) == ("disgust", "driver", "casme2")
    assert (truth.driver_subject, truth.identity_subject) == ("casme2/sub01", "casme2/sub02")


def test_everybody_who_went_into_it_is_named() -> None:
    story = provenance({12: (2, 0)})
    story.plan.driver["subjects"] = ["casme2/sub07"]
    story.plan.params["trained_on"] = ["samm/006"]
    want = ("casme2/sub01", "casme2/sub02", "casme2/sub07", "samm/006")
    assert truth_of_provenance(story, "key").people == want


def test_what_is_neither_seen_nor_gone_is_neither_said() -> None:
    truth = truth_of_provenance(provenance({12: (0.1, 0.0)}), "key")
    assert truth.units == ()
    assert 12 not in truth.absent
    blink = truth_of_provenance(provenance({BLINK: (4, 4)}), "key")
    assert [unit.au for unit in blink.units or ()] == [BLINK]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("4+L7B", [(4, "both", None, None, True), (7, "left", 2.0, 0.0, True)]),
        ("L4+R4", [(4, "both", None, None, True)]),
        ("12C", [(12, "both", 3.0, 3.0, True)]),
        ("R12 or R14", [(12, None, None, None, False), (14, None, None, None, False)]),
        ("24+AD38", [(24, "both", None, None, True)]),
    ],
)
def test_an_annotation_tells_what_it_says(text: str, want: list[tuple[Any, ...]]) -> None:
    truth = truth_of_ref(ClipRef("casme2", "1", "EP", ("a",) * 9, action_units=text))
    assert truth.units is not None
    assert [(u.au, u.side, u.left, u.right, u.certain) for u in truth.units] == want
    told = {u.au for u in truth.units}
    assert set(truth.absent) == set(AUS) - told - {BLINK}


@pytest.mark.parametrize("text", [None, "", "gibberish"])
def test_without_an_annotation_nothing_is_known(text: str | None) -> None:
    truth = truth_of_ref(ClipRef("casme2", "1", "EP", action_units=text))
    assert truth.units is None
    assert truth.absent == ()


def test_it_survives_json() -> None:
    truth = truth_of_provenance(provenance({12: (2, 0)}), "key")
    value = json.loads(json.dumps(truth.to_json(), allow_nan=False))
    assert value["schema"] == "famaug-labels/1"
    assert value["units"][0]["name"] == "lip corner puller"
    assert {*value} - {"schema"} == {*Truth.__dataclass_fields__}
