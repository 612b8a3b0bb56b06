from __future__ import annotations

import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from famaug.plot.curves import ASKED_COLOUR, MEASURED_COLOUR, track, units_that_matter
from famaug.report.curves import agreement_scatter, side_bars
from famaug.report.lettering import Drawing, drawn
from famaug.types import AUS, AUTrack
from tests.report.report_sample import APEX, OFFSET, ONSET, tracks

SVG = "{http://www.w3.org/2000/svg}"


def curves(asked: AUTrack, measured: AUTrack | None, **more: object) -> Drawing:
    return drawn(track(asked, measured, marks=(ONSET, APEX, OFFSET), **more))  # type: ignore[arg-type]


def strokes(svg: str, colour: str) -> list[str]:
    """Styles of the drawn paths of this colour."""
    styles = [e.get("style", "") for e in ET.fromstring(svg).iter(f"{SVG}path")]
    return [s for s in styles if f"stroke: {colour.lower()}" in s and "fill: none" in s]


def test_units_asked_or_read_falsely_are_shown() -> None:
    asked, measured = tracks()
    assert units_that_matter(asked) == (2, 6, 12, 25)
    assert units_that_matter(asked, measured) == (2, 6, 12, 14, 25)
    nothing = AUTrack.of(np.zeros((5, 2, len(AUS))), estimator="rule/1")
    assert len(units_that_matter(nothing)) == 3


def test_curves_are_a_panel_a_unit_with_left_solid_and_right_dashed() -> None:
    asked, measured = tracks()
    svg, width, height = curves(asked, measured)
    points = float(ET.fromstring(svg).get("width", "").removesuffix("pt"))
    assert points / 0.75 == pytest.approx(width, abs=0.5)
    assert (width, height) == (998, round((2 * 1.42 + 0.9) * 96))
    for colour in (ASKED_COLOUR, MEASURED_COLOUR):
        lines = strokes(svg, colour)
        dashed = [s for s in lines if "stroke-dasharray" in s]
        assert len(lines) == 5 * 2 + 1  # and one in the legend
        assert len(dashed) == 5


def test_curves_without_a_measurement_show_only_what_was_asked() -> None:
    asked, _ = tracks()
    svg, width, _ = curves(asked, None, aus=(12,))
    assert len(strokes(svg, ASKED_COLOUR)) == 3
    assert not strokes(svg, MEASURED_COLOUR)
    assert width < 500


def test_all_units_fit_in_columns() -> None:
    asked, measured = tracks()
    _, _, wide = curves(asked, measured, aus=AUS, columns=4)
    _, _, narrow = curves(asked, measured, aus=AUS, columns=2, width=4.6)
    assert wide == round((5 * 1.42 + 0.9) * 96)
    assert narrow == round((9 * 1.42 + 0.9) * 96)


def test_bars_and_scatter_are_drawn_even_where_values_are_missing() -> None:
    asked, measured = tracks()
    gone = measured.with_intensity(np.full_like(measured.intensity, np.nan))
    for other in (None, measured, gone):
        svg, width, height = side_bars(asked, other, apex=APEX)
        assert ET.fromstring(svg).tag == f"{SVG}svg"
        assert (width, height) == (518, 346)
    for pairs in ([(asked, measured)], [(asked, gone), (asked, measured)]):
        assert ET.fromstring(agreement_scatter(pairs)[0]).tag == f"{SVG}svg"


def test_bars_are_as_high_as_what_was_measured() -> None:
    asked, measured = tracks()
    heights = []
    for factor in (1.0, 0.5):
        halved = measured.with_intensity(measured.intensity * factor)
        root = ET.fromstring(side_bars(asked, halved, apex=APEX, units=(12,))[0])
        blue = next(p for p in root.iter(f"{SVG}path") if "fill: #0072b2" in p.get("style", ""))
        numbers = [float(t) for t in blue.get("d", "").replace("z", "").split() if t not in "ML"]
        heights.append(max(numbers[1::2]) - min(numbers[1::2]))
    assert abs(heights[1] / heights[0] - 0.5) < 0.01


def test_figures_are_the_same_bytes_each_time_and_need_no_pyplot() -> None:
    asked, measured = tracks()
    # others of this process may want pyplot; it is set aside
    before = {k: sys.modules.pop(k) for k in list(sys.modules) if k == "matplotlib.pyplot"}
    assert curves(asked, measured) == curves(asked, measured)
    assert "matplotlib.pyplot" not in sys.modules
    sys.modules.update(before)
