from __future__ import annotations

import numpy as np
import pytest

from famaug.aus.facs import FacsUnit, facs_track, not_shown, parse_facs
from famaug.errors import InputError, LeftOutWarning, TrackError
from famaug.types import AU_INDEX

U = FacsUnit


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("4", [U(4)]),
        ("4+L7", [U(4), U(7, "left")]),
        ("R12", [U(12, "right")]),
        ("7B", [U(7, letter="B")]),
        ("R14A", [U(14, "right", "A")]),
        ("R12 or R14", [U(12, "right", None, True), U(14, "right", None, True)]),
        (
            "(R6 or R12)+R15",
            [U(6, "right", None, True), U(12, "right", None, True), U(15, "right")],
        ),
        ("ref(7B)", [U(7, letter="B", uncertain=True)]),
        ("10A/B", [U(10, letter="A/B", uncertain=True)]),
        ("T18", [U(18)]),
        ("A12", [U(12)]),
        ("A1B+A2B", [U(1, letter="B"), U(2, letter="B")]),
        ("AU01 + AU12", [U(1), U(12)]),
        ("4?", [U(4, uncertain=True)]),
        ("4(k)+7", [U(4, uncertain=True), U(7)]),
        ("l12b; r4, 25", [U(12, "left", "B"), U(4, "right"), U(25)]),
        ("12/14", [U(12, uncertain=True), U(14, uncertain=True)]),
        ("4+4", [U(4)]),
        ("L12B", [U(12, "left", "B")]),
        ("12LB", [U(12, "left", "B")]),
        ("12BL", [U(12, "left", "B")]),
        ("B12", [U(12)]),
        ("BL12C", [U(12, "left", "C")]),
        ("LT23", [U(23, "left")]),
        ("12 left", [U(12, "left")]),
        ("Right AU12 B", [U(12, "right", "B")]),
        ("AU L12", [U(12, "left")]),
        ("L/R 12", [U(12)]),
        ("U12", [U(12, uncertain=True)]),
        ("12U, UL4", [U(12, uncertain=True), U(4, "left")]),
        ("12(B)", [U(12, letter="B")]),
        ("12 (L)", [U(12, "left")]),
        ("12_B", [U(12, letter="B")]),
        ("1B2C4d", [U(1, letter="B"), U(2, letter="C"), U(4, letter="D")]),
        ("L12AR12C", [U(12, "left", "A"), U(12, "right", "C")]),
        ("1+2 4", [U(1), U(2), U(4)]),
        ("12 14", [U(12), U(14)]),
        ("4 L7 B12", [U(4), U(7, "left"), U(12)]),
        ("4 B 12", [U(4, letter="B"), U(12)]),
        ("AU 1, 2 and 5", [U(1), U(2), U(5)]),
        ("4 ＋ 7、9", [U(4), U(7), U(9)]),
        ("12x+4Y", [U(12, letter="A/B", uncertain=True), U(4, letter="C")]),
        ("trace 12 + 4 tr", [U(12, letter="A"), U(4, letter="A")]),
        ("12B-C", [U(12, letter="B/C", uncertain=True)]),
        ("?12", [U(12, uncertain=True)]),
        ("12??", [U(12, uncertain=True)]),
        ("6/7+12", [U(6, uncertain=True), U(7, uncertain=True), U(12)]),
        ("L12/R12", [U(12, "left", None, True), U(12, "right", None, True)]),
        ("1 or 2 or 4", [U(1, uncertain=True), U(2, uncertain=True), U(4, uncertain=True)]),
        ("4+7+AD38", [U(4), U(7), U(38, kind="AD")]),
        ("M59+12C", [U(59, kind="M"), U(12, letter="C")]),
        ("GB80;AD 29L", [U(80, kind="GB"), U(29, "left", kind="AD")]),
        ("51C+63+45", [U(51, letter="C"), U(63), U(45)]),
        ("AD12", [U(12, kind="AD")]),
        ("0", []),
        ("neutral", []),
        ("N/A", []),
        ("AU1 AU2", [U(1), U(2)]),
        ("4 AD38", [U(4), U(38, kind="AD")]),
        ("1AU2 AU L4", [U(1), U(2), U(4, "left")]),
        ("12A AU4", [U(12, letter="A"), U(4)]),
        ("12 M59", [U(12), U(59, kind="M")]),
        ("8(25)", [U(8), U(25)]),
        ("4(7)", [U(4), U(7)]),
        ("4(L7)", [U(4), U(7, "left")]),
        ("(4+7)?+9", [U(4, uncertain=True), U(7, uncertain=True), U(9)]),
        ("4+\u200b7", [U(4), U(7)]),
        ("LAU7", [U(7, "left")]),
        ("12 bilateral + 4 both", [U(12), U(4)]),
        ("left 12 right 14", [U(12, "left"), U(14, "right")]),
        ("", []),
        ("/", []),
    ],
)
def test_annotations_as_published(text: str, want: list[FacsUnit]) -> None:
    assert list(parse_facs(text)) == want


@pytest.mark.parametrize(
    "text",
    [
        "happy",
        "4++7",
        "4+",
        "+4",
        "12F",
        "X12",
        "L",
        "4-7",
        "123",
        "AU",
        "4+mouth",
        "12 or",
        "EXP03",
        "C12",
        "12BB",
    ],
)
def test_what_is_no_annotation_is_quoted(text: str) -> None:
    with pytest.raises(InputError, match=r"cannot read .* in the AU annotation"):
        parse_facs(text)


def test_a_novel_is_refused() -> None:
    with pytest.raises(InputError, match="600 characters"):
        parse_facs("4+" * 300)


def test_track() -> None:
    track = facs_track("4C+L12+10A/B", length=21, apex=10, fps=200)
    peak = track.intensity[10]
    assert peak[:, AU_INDEX[4]].tolist() == [3, 3]
    assert peak[:, AU_INDEX[12]].tolist() == [1, 0]
    assert peak[:, AU_INDEX[10]].tolist() == [1.5, 1.5]
    assert np.count_nonzero(peak) == 5
    assert not track.intensity[[0, -1]].any()
    assert np.isclose(track.intensity[5, 0, AU_INDEX[4]], 1.5)
    assert track.confidence[0, :, AU_INDEX[10]].tolist() == [0.5, 0.5]
    assert track.confidence.min() == 0.5
    assert (track.estimator, track.scale, track.sided, track.fps) == ("facs/1", "facs", True, 200)


def test_both_sides_named_apart_and_onset_within_the_clip() -> None:
    track = facs_track("L12B+R12A", length=30, onset=10, apex=15, offset=20)
    assert track.intensity[15, :, AU_INDEX[12]].tolist() == [2, 1]
    assert not track.intensity[:11].any()
    assert not track.intensity[20:].any()


def test_doubt_can_be_left_out_and_unknown_aus_are_named() -> None:
    track = facs_track("4+R12 or R14", length=9, apex=4, uncertain="drop")
    assert np.count_nonzero(track.intensity[4]) == 2
    assert not_shown("4+T18+24A+39+AD38") == ("18", "24", "39", "AD38")
    with pytest.warns(LeftOutWarning, match="24, M59 of '4.24.M59' cannot be shown"):
        track = facs_track("4+24+M59", length=9, apex=4)
    assert np.count_nonzero(track.intensity[4]) == 2
    with pytest.raises(TrackError, match="no AU of '24' can be shown"):
        facs_track("24", length=9, apex=4)
    with pytest.raises(TrackError, match="no AU"):
        facs_track("R12 or R14", length=9, apex=4, uncertain="drop")


@pytest.mark.parametrize("bad", [{"apex": 20}, {"default": 0.0}, {"uncertain": "half"}])
def test_bad_arguments(bad: dict[str, object]) -> None:
    with pytest.raises(InputError):
        facs_track("4", **{"length": 9, "apex": 4, **bad})  # type: ignore[arg-type]
