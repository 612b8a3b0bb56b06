"""Figures hold what they are of: the artists' own data are the clip's and the track's."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import famaug
from famaug import plot
from famaug.errors import InputError, UnusableClipError
from famaug.report.difference import difference_picture
from famaug.report.strip import GAP, HEAD, MARGIN
from famaug.store import CacheWriter, ClipCache
from famaug.types import AU_INDEX, LEFT, RIGHT, Clip, ClipRef
from tests.report.report_sample import APEX, FPS, OFFSET, ONSET, smile, tracks
from tests.store.store_builders import moving_clip, provenance_of


@pytest.fixture(scope="module")
def clip() -> Clip:
    ref = ClipRef("d", "1", "smile", fps=FPS, onset=ONSET, apex=APEX, offset=OFFSET)
    return Clip(ref, smile())


def picture_in(figure: Figure) -> np.ndarray:
    (image,) = figure.axes[0].images
    return np.asarray(image.get_array())


def cell(picture: np.ndarray, column: int, side: int, top: int = HEAD) -> np.ndarray:
    x = MARGIN + column * (side + GAP)
    return picture[top : top + side, x : x + side]


def test_a_track_has_a_panel_a_unit_with_both_sides() -> None:
    asked, measured = tracks()
    figure = plot.track(asked, measured)
    panels = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title("left") for ax in panels] == ["AU02", "AU06", "AU12", "AU14", "AU25"]
    lines = [line for line in panels[2].lines if len(line.get_xdata()) == len(asked)]
    want = [(t, side) for t in (asked, measured) for side in (LEFT, RIGHT)]
    for line, (shown, side) in zip(lines, want, strict=True):
        curve = shown.intensity[:, side, AU_INDEX[12]]
        np.testing.assert_array_equal(np.asarray(line.get_ydata(), np.float32), curve)
        assert line.is_dashed() == (side == RIGHT)
    np.testing.assert_allclose(lines[0].get_xdata(), (np.arange(len(asked)) - ONSET) / FPS * 1000)


def test_a_track_in_axes_of_ones_own() -> None:
    asked, _ = tracks()
    own = Figure()
    one = own.add_subplot()
    assert plot.track(asked, aus=[12, 6], ax=one) is own
    curves = [line for line in one.lines if len(line.get_xdata()) == len(asked)]
    assert len(curves) == 4
    assert [t.get_text() for t in one.get_legend().get_texts()] == ["AU12", "AU06"]
    np.testing.assert_array_equal(
        np.asarray(curves[1].get_ydata(), np.float32), asked.intensity[:, RIGHT, AU_INDEX[12]]
    )
    row = Figure().subplots(1, 2)
    plot.track(asked, aus=[12, 6], ax=row)
    assert [ax.get_title("left") for ax in row] == ["AU12", "AU06"]
    with pytest.raises(InputError, match="one for each of 1 AUs; got 2"):
        plot.track(asked, aus=[12], ax=row)
    with pytest.raises(InputError, match="got \\[3\\]"):
        plot.track(asked, aus=[3])
    short = asked.with_intensity(asked.intensity[:5], confidence=asked.confidence[:5])
    with pytest.raises(InputError, match="56 and 5 frames"):
        plot.track(asked, short)


def test_a_track_without_a_rate_counts_frames() -> None:
    asked, _ = tracks()
    ax = Figure().add_subplot()
    plot.track(replace(asked, fps=None), aus=[12], ax=ax)
    assert ax.get_xlabel() == "frame"
    np.testing.assert_array_equal(ax.lines[-1].get_xdata(), np.arange(len(asked)))


def test_a_strip_shows_the_key_frames_pixel_by_pixel(clip: Clip) -> None:
    figure = plot.strip(clip, between=0)
    picture = picture_in(figure)
    for column, frame in enumerate((ONSET, APEX, OFFSET)):
        np.testing.assert_array_equal(cell(picture, column, 256), clip.frames[frame])
    width, height = figure.get_size_inches() * figure.dpi
    assert (round(width), round(height)) == (picture.shape[1], picture.shape[0])


def test_a_difference_is_the_reports(clip: Clip) -> None:
    picture = picture_in(plot.difference(clip, between=0, gain=8))
    want = difference_picture(clip.frames[APEX], clip.frames[ONSET], gain=8)
    np.testing.assert_array_equal(cell(picture, 1, 256), want)
    onset = cell(picture, 0, 256).reshape(-1, 3)
    assert (onset == onset[0]).all()  # the onset differs from itself nowhere


def test_flow_is_still_where_nothing_moves(clip: Clip) -> None:
    picture = picture_in(plot.flow(clip)).astype(int)
    u, strain = cell(picture, 2, 208), cell(picture, 4, 208)
    assert np.ptp(u[:16, :16].reshape(-1, 3), axis=0).max() < 20  # grey, or the step beside it
    assert strain[100:170, 60:150].min() < 120 < strain[:16, :16].min()


def test_two_clips_are_compared_at_their_own_phases(clip: Clip) -> None:
    weak = Clip(replace(clip.ref, onset=0, apex=3, offset=6, fps=None), clip.frames[ONSET::8][:7])
    picture = picture_in(plot.compare(clip, weak))
    small = [np.asarray(Image.fromarray(f).resize((208, 208), Image.Resampling.LANCZOS))
             for f in (clip.frames[APEX], weak.frames[3])]  # fmt: skip
    row = 208 + GAP
    np.testing.assert_array_equal(cell(picture, 2, 208), small[0])
    np.testing.assert_array_equal(cell(picture, 2, 208, HEAD + 2 * row), small[1])
    ax = Figure().add_subplot()
    plot.compare(clip, weak, ax=ax)
    assert len(ax.images) == 1


def test_what_may_be_shown(clip: Clip, tmp_path: Path) -> None:
    story = provenance_of(3)
    with CacheWriter(tmp_path) as writer:
        writer.put(story.plan.key, moving_clip(3, t=2), story)
    stored = ClipCache(tmp_path).read(story.plan.key)
    for value in (clip, (clip, "positive"), stored):
        assert picture_in(plot.strip(value)).size  # type: ignore[arg-type]
    with pytest.raises(InputError, match="gain"):
        plot.difference(clip, gain=0)
    with pytest.raises(InputError, match="got str"):
        plot.flow("clip.mp4")  # type: ignore[arg-type]
    with pytest.raises(UnusableClipError, match="one frame"):
        plot.strip(Clip(ClipRef("", "", "x"), clip.frames[:1]))


def test_a_notebook_gets_png_once(clip: Clip) -> None:
    data = plot.strip(clip)._repr_png_()  # type: ignore[attr-defined]
    assert data.startswith(b"\x89PNG")


def test_it_is_found_and_loads_matplotlib_late() -> None:
    assert famaug.plot is plot
    code = "import sys, famaug; famaug.plot; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    with pytest.raises(AttributeError, match="pie"):
        plot.pie  # noqa: B018


@pytest.mark.slow
def test_the_figure_of_the_docs(tmp_path: Path) -> None:
    from values_figure import main

    main(tmp_path / "values.webp", size=96)
    with Image.open(tmp_path / "values.webp") as sheet:
        assert sheet.width > 800
        assert len(np.unique(np.asarray(sheet).reshape(-1, 3), axis=0)) > 1000
