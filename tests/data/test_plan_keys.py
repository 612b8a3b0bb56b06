"""R14: what changes a clip changes its key, and nothing else does."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from famaug.store import cache_key
from famaug.types import Plan
from tests.store.store_builders import plan_of

TEXT = st.text(max_size=8)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SETTINGS = st.dictionaries(TEXT, st.none() | st.booleans() | NUMBERS | TEXT, max_size=4)
PLANS = st.builds(
    Plan,
    driver=st.fixed_dictionaries({"name": TEXT, "digest": TEXT, "label": TEXT}),
    identity=st.fixed_dictionaries({"name": TEXT, "digest": TEXT}, optional={"source": TEXT}),
    track=st.lists(st.just([[0.25] * 17] * 2) | st.just([[1.5] * 17] * 2), min_size=1, max_size=3),
    generator=TEXT,
    weights=TEXT,
    size=st.none() | st.integers(64, 512),
    fps=st.floats(1, 500),
    superres=st.none() | TEXT,
    look=st.none() | SETTINGS,
    seed=st.integers(0, 2**63),
    params=SETTINGS,
)


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: shuffled(value[k]) for k in reversed(value)}
    return value


@given(plan=PLANS, source=TEXT)
def test_paths_and_order_do_not_matter(plan: Plan, source: str) -> None:
    value = shuffled(plan.to_json())
    value["identity"]["source"] = source
    value["driver"]["source"] = source + "x"
    assert Plan.from_json(value).key == plan.key
    assert Plan.from_json(Plan.from_json(plan.to_json()).to_json()) == plan


@given(plan=PLANS, data=st.data())
def test_every_choice_matters(plan: Plan, data: st.DataObject) -> None:
    value = plan.to_json()
    name = data.draw(st.sampled_from(sorted(value)))
    changed: dict[str, Any] = {
        "driver": {**value["driver"], "digest": value["driver"]["digest"] + "x"},
        "identity": {**value["identity"], "digest": value["identity"]["digest"] + "x"},
        "track": [*value["track"], [[0.125] * 17] * 2],
        "generator": value["generator"] + "2",
        "weights": value["weights"] + "0",
        "size": (value["size"] or 0) + 1,
        "fps": value["fps"] + 1,
        "superres": (value["superres"] or "") + "x",
        "look": {"blur": 1, **(value["look"] or {}), "": 2.5},
        "seed": value["seed"] + 1,
        "params": {**value["params"], "a new setting": 1},
    }
    assert Plan.from_json(value | {name: changed[name]}).key != plan.key


def test_the_key_of_a_known_plan() -> None:
    # a change here makes every existing cache worthless: raise "plan/1" and say so
    assert plan_of(3).key == cache_key(plan_of(3)) == KNOWN
    assert cache_key(plan_of(3), codec="jpeg", quality=95) == KNOWN_JPEG


KNOWN = "1ea9c8b04e2e5ca2587d29b583e2246ccbdd2dbab097b27fb80abb13c6030044"
KNOWN_JPEG = "b7b5831760e2ab7cd4c2e6ee15b0252cc24a0dfdf2a19ddf64e9109b0e48ddfa"
