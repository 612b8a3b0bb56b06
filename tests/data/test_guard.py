from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from famaug.data.folds import SubjectSubset, leave_one_subject_out
from famaug.data.following import guard_for, held_out_of
from famaug.data.guard import DRIVER, IDENTITY, LOOK, NO_PROVENANCE, UNNAMED, WEIGHTS, Guard
from famaug.errors import InputError, LeakageError
from famaug.people.persons import canonical
from famaug.types import ClipRef
from tests.store.store_builders import ListOfClips, provenance_of


def test_both_people_must_be_in_the_fold() -> None:
    guard = Guard({"d/01"})
    assert guard.reason(provenance_of(1, driver="d/01", identity="d/02")) == DRIVER
    assert guard.reason(provenance_of(1, driver="d/02", identity="d/01")) == IDENTITY
    assert guard.reason(provenance_of(1, driver="d/02", identity="d/03")) is None
    assert guard.reason(provenance_of(1, driver="", identity="d/03")) is None
    assert guard.reason(None) == NO_PROVENANCE
    assert Guard(()).reason(None) == NO_PROVENANCE


@pytest.mark.parametrize("kind", ["clip", "track", "annotation"])
def test_a_measured_expression_of_nobody_could_be_a_held_out_persons(kind: str) -> None:
    """An AU table with a label and no subject was let in."""
    drawn = provenance_of(1, driver="", identity="d/03")
    plan = replace(drawn.plan, driver=drawn.plan.driver | {"kind": kind})
    measured = replace(drawn, plan=plan)
    assert Guard({"d/01"}).reason(measured) == UNNAMED
    assert Guard(()).reason(measured) is None  # nobody is held out
    named = replace(measured, driver_subject="mine/none")  # whoever knows better says so
    assert Guard({"d/01"}).reason(named) is None
    with pytest.raises(LeakageError, match="no named subject"):
        Guard({"d/01"}).check(measured, "clip")
    assert Guard({"d/03"}).reason(measured) == IDENTITY  # who is named tells more


@pytest.mark.parametrize(
    ("held_out", "seen"),
    [
        ("casme2/sub01", "CASME2/sub1"),
        ("smic/s1", "smic/s01"),
        ("samm/006", "samm/6"),
        ("/06", "samm/6"),
        ("samm/006", "/6"),
        ("d/ 01", "d/ 01 "),
        ("casme2/01", "casme2/sub01"),
        ("casme2/01", "CASME II/S01"),
        ("01", "casme2/sub01"),
        ("sub01", "CASME2_RAW_selected/1.0"),
        ("casme3/spNO.1", "Casme3A/1"),
        ("CAS(ME)^3/1", "casme3/spNO.001"),
        ("4DME/001", "fourd/1"),
        ("smic/s1", "SMIC-HS-E/S01"),
        ("megc2019/sub01", "casme2/1"),
        ("megc2019/006", "samm/6"),
        ("megc2019/samm/006", "samm/6"),
        ("My Data/Anna", "my_data/anna"),
        ("casme2/sub01/EP02_01f", "casme2/1"),
        ("SMIC/HS/s1/micro/negative/s1_ne_01", "smic/s01"),
    ],
)
def test_other_spellings_are_the_same_person(held_out: str, seen: str) -> None:
    assert Guard({held_out}).reason(provenance_of(1, driver=seen, identity="d/x")) == DRIVER


def test_other_people_stay() -> None:
    for held_out, seen in (
        ("d/1", "d/10"),
        ("d/1", "e/1"),
        ("d/10", "d/1"),
        ("d/s1", "d/1"),
        ("d/s1", "d/s11"),
        ("d/anna1", "d/1"),
        ("casme2/1", "casme2/11"),
        ("casme2/1", "samm/1"),
        ("casme2/1", "casme/1"),
        ("casme2/1", "cas(me)^2/1"),
        ("casme3/1", "CAS(ME)^3 part C/1"),
        ("01", "samm/006"),
    ):
        assert not Guard({held_out}).holds_out(seen), (held_out, seen)
    assert canonical("SMIC/s010") == "smic/s10"
    assert canonical("x/0") == "x/0"


def test_the_plan_is_believed_too() -> None:
    honest = provenance_of(1, driver="d/01", identity="d/02")
    forged = type(honest)(**{**vars(honest), "driver_subject": "d/77"})
    assert Guard({"d/01"}).reason(forged) == DRIVER


def test_held_out_is_found_through_wrappers() -> None:
    part = SubjectSubset(ListOfClips(["1", "2"]), [0], held_out={"d/02"})
    wrapped = torch.utils.data.Subset(part, [0])
    assert held_out_of(torch.utils.data.ConcatDataset([wrapped, wrapped])) == {"d/2"}
    assert held_out_of(ListOfClips(["1"])) is None


def test_everybody_who_went_in_is_read() -> None:
    story = provenance_of(1, driver="d/02", identity="d/03")
    plan = story.plan
    guard = Guard({"casme2/01"})
    for changes, why in (
        ({"driver": plan.driver | {"subjects": ["d/9", "CASME2/sub1"]}}, DRIVER),
        ({"driver": plan.driver | {"dataset": "CASME II", "subject": 1}}, DRIVER),
        ({"identity": plan.identity | {"subjects": ["casme2/S01"]}}, IDENTITY),
        ({"identity": plan.identity | {"dataset": "casme2", "subject": 1.0}}, IDENTITY),
        ({"identity": {"source": {"path": "/x/CASME2/Cropped/sub01/EP01/img1.jpg"}}}, IDENTITY),
        ({"driver": {"subjects": "casme2/sub01"}}, DRIVER),
        ({"look": {"subjects": ["casme2/sub01"]}}, LOOK),
        ({"params": {"trained_on": ["casme2/1"]}}, WEIGHTS),
    ):
        clip = replace(story, plan=replace(plan, **changes))
        assert guard.reason(clip) == why
        with pytest.raises(LeakageError, match="'casme2/sub01'"):
            guard.check(clip, "k")
    assert guard.reason(story) is None


def test_a_name_of_nobody_who_is_there_could_be_somebody() -> None:
    people = {"mine/s01", "mine/s02", "mine/anna1"}
    guard = Guard({"mine/1"}, people)
    assert guard.held_out == {"mine/1", "mine/s1"}
    assert guard.holds_out("Mine/S1")
    assert guard.holds_out("mine/sub01")  # nobody is called so: who else could it be
    assert not guard.holds_out("mine/s02")
    assert not guard.holds_out("mine/anna1")
    assert not guard.holds_out("other/1")
    assert guard.holds_out("/s01")
    assert Guard({"mine/anna1"}, people).holds_out("Anna01")
    assert not Guard({"mine/anna1"}, people).holds_out("/1")
    both = Guard({"mine/s1"}, {*people, "mine/1"})
    assert not both.holds_out("mine/1")
    with pytest.raises(InputError, match="'mine/bob' is nobody here"):
        Guard({"mine/bob"}, people)


def test_a_cache_does_not_make_two_people_of_one() -> None:
    """A cache's other spelling of somebody is no second person."""
    fold = leave_one_subject_out(ListOfClips(["s01", "s02"], dataset="mine"))[0]
    assert fold.held_out == {"mine/s1"}
    guard = guard_for(fold.train, None, mixing=True, others=["mine/1", "mine/2", "mine/s02", "/1"])
    assert guard.holds_out("mine/1")
    assert guard.holds_out("/1")
    assert not guard.holds_out("mine/2")
    assert not guard.holds_out("mine/s02")
    asked = Guard({"mine/1"}, {"mine/s01", "mine/s02"}, {"mine/1", "mine/bob"})
    assert asked.holds_out("mine/s01")
    assert Guard({"mine/bob"}, {"mine/s01"}, {"mine/bob"}).held_out == {"mine/bob"}
    two = Guard({"mine/s01"}, {"mine/s01", "mine/1"}, {"mine/1"})
    assert not two.holds_out("mine/1")


def test_messages() -> None:
    with pytest.raises(LeakageError, match="'d/1'"):
        Guard({"d/01"}).check(provenance_of(1), "k")
    with pytest.raises(LeakageError, match="d/01/c"):
        Guard({"d/01"}).check_real([ClipRef("d", "01", "c")])
    for wrong in ([""], ["d/"], "d/01"):
        with pytest.raises(InputError):
            Guard(wrong)
