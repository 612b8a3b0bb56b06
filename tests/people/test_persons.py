"""One person is one person, one data set is one data set, whatever they are called."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from famaug.data import MebClips, leave_one_subject_out
from famaug.data.labels import FIVE, THREE, label_map
from famaug.errors import InputError
from famaug.modulation.envelopes import TIMINGS, timing
from famaug.people.datasets import DATASETS, RELEASES, dataset_name, find_release, release_named
from famaug.people.persons import canonical, find_people, person
from famaug.testing.replica_releases import RELEASES as REPLICAS
from famaug.types import ClipRef

NAMES = {
    "casme2": ("casme2", "CASME2", "CASME II", "casme-ii", "CasmeII", "CASME_2",
               "CASME2_RAW_selected"),
    "samm": ("SAMM", "samm", "SAMM_CROP", "SAMM-LV"),
    "smic": ("SMIC", "smic-hs", "SMIC_HS_E", "SMIC-E", "SMIC_all_cropped", "Smic VIS", "smic-nir"),
    "casme": ("CASME", "casme1", "CASME I", "casme_raw_selected"),
    "casme3": ("casme3", "Casme3A", "CAS(ME)^3", "CAS(ME)³", "cas(me)3", "CASME III",
               "CAS(ME)3 part A"),
    "cas(me)2": ("CAS(ME)^2", "cas(me)2", "CAS(ME)²"),
    "4dme": ("4DME", "4dme", "fourd", "FourDme", "4D-ME"),
    "mmew": ("MMEW", "MMEW_Final"),
    "dfme": ("DFME", "dfme"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "spellings"), NAMES.items())
def test_data_sets_by_all_their_names(name: str, spellings: tuple[str, ...]) -> None:
    assert {dataset_name(s) for s in spellings} == {name}
    assert {ClipRef(s, 7, "c").key for s in spellings} == {f"{person(name, 7)}/c"}


def test_no_alias_is_two_data_sets() -> None:
    aliases = [a for d in DATASETS for a in d.aliases]
    assert len(aliases) == len(set(aliases))
    assert all(dataset_name(d.name) == dataset_name(d.title) == d.name for d in DATASETS)
    assert dataset_name(" Faces of mine ") == "Faces of mine"
    assert canonical("casme2-wild/1") != canonical("casme2/1")


def test_every_table_by_data_set_uses_these_names() -> None:
    names = {d.name for d in DATASETS}
    assert set(THREE) | set(FIVE) | set(TIMINGS) <= names
    assert REPLICAS.keys() == RELEASES.keys()
    assert label_map("CASME II", "three") == THREE["casme2"]
    assert timing("CAS(ME)^3") == TIMINGS["casme3"]


def test_releases_by_name() -> None:
    for text, name in (
        ("CASME II", "casme2"),
        ("SMIC-VIS", "smic-vis"),
        ("SmicLong", "smic-long"),
        ("SMIC-E", "smic-long"),
        ("Smic", "smic"),
        ("FourDme", "4dme"),
    ):
        assert release_named(text).name == name
    assert find_release("cas(me)^2") is None
    with pytest.raises(InputError, match="no data set 'casme4'; there are: casme"):
        release_named("casme4")


@given(number=st.integers(1, 400), name=st.sampled_from(sorted(NAMES)))
def test_one_person_in_every_spelling(number: int, name: str) -> None:
    want = canonical(f"{name}/{number}")
    subjects = [
        number,
        np.int64(number),
        float(number),
        f" {number} ",
        f"{number:03d}",
        f"{number}.0",
    ]
    prefixes = ("s", "S", "sub", "Sub", "subject ", "spNO.", "sub_0", "p")
    for text in (*subjects, *(f"{p}{number}" for p in prefixes)):
        assert person(name, text) == want
        for dataset in NAMES[name]:
            assert canonical(f"{dataset}/{text}") == want
    assert canonical(want) == want
    assert person(name, number + 1) != want
    assert person(name, 10 * number) != want


@given(a=st.text("ab1s02_-. ", min_size=1), b=st.text("ab1s02_-. ", min_size=1))
def test_people_of_other_data_sets_keep_their_names(a: str, b: str) -> None:
    """Letter case, outer spaces and zeros before numbers apart, two names are two people."""

    def plain(text: str) -> str:
        import re

        text = text.strip().casefold()
        whole = re.fullmatch(r"0*(\d+)\.0+", text)
        return whole[1] if whole else re.sub(r"(?<!\d)0+(?=\d)", "", text)

    assert (person("mine", a) == person("mine", b)) == (plain(a) == plain(b))


def test_nobody() -> None:
    for nothing in (None, "", " ", float("nan")):
        assert person("casme2", nothing) == ""
    assert ClipRef("", "", "loose").subject == ""


def test_names_are_looked_up_among_those_who_are_there() -> None:
    people = {"casme2/sub01", "casme2/sub11", "mine/s01", "mine/anna1", "smic/s1"}
    assert find_people(["1"], people) == {"1": {"casme2/sub01", "smic/s1"}}
    assert find_people(["mine/1", "CASME II/S11"], people) == {
        "mine/1": {"mine/s1"},
        "CASME II/S11": {"casme2/sub11"},
    }
    with pytest.raises(InputError, match=r"'casme2/12' is nobody here; there are: casme2/sub11, "):
        find_people(["casme2/12"], people)
    with pytest.raises(InputError, match=r"dataset\.held_out: .*'mine/bob'"):
        find_people(["mine/bob"], people, what="dataset.held_out")
    with pytest.raises(InputError, match="written 'dataset/subject'"):
        find_people(["casme2/"], people)


def test_people_of_meb_are_those_of_the_readers() -> None:
    """A data frame with numbers, a missing subject beside them, and the toolkit's class names."""

    class Fourd:
        data_frame = pd.DataFrame(
            {
                "dataset": ["casme3a", "CASME II", None],
                "subject": [1.0, 2.0, 3.0],
                "material": ["a", "b", "c"],
                "emotion": ["x", "y", "z"],
            }
        )
        data = [np.zeros((2, 8, 8), np.uint8)] * 3

    keys = [r.key for r in MebClips(Fourd()).refs]
    assert keys == ["casme3/spNO.1/a", "casme2/sub02/b", "4dme/003/c"]
    folds = leave_one_subject_out(MebClips(Fourd()))
    assert [f.name for f in folds] == ["4dme/003", "casme2/sub02", "casme3/spNO.1"]
