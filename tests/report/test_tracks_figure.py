from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from famaug.errors import InputError
from famaug.modulation.modulate import Modulation, modulation_stages
from famaug.modulation.rules import parse_expression
from famaug.report.tracks_figure import save_figure, strongest_aus, tracks_figure
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUTrack


def driver(sided: bool = True) -> AUTrack:
    x = parse_expression("aus:4=1.5,12L=1.2,1=0.8,7=0.6").draw(keyed_generator(0)).intensity
    x = x + 0.3 + 0.06 * keyed_generator(1).standard_normal(x.shape)
    x[30:32, :, AU_INDEX[45]] = 4
    return AUTrack.of(
        np.clip(x, 0, 5), estimator="t/1", sided=sided, scale="openface", fps=200 if sided else None
    )


def test_stages_rows_and_lines() -> None:
    stages = modulation_stages(driver())
    assert list(stages) == ["raw", "filtered", "relative", "transferred"]
    figure = tracks_figure(stages)
    axes = figure.axes
    assert len(axes) == 8
    assert [a.get_ylabel() for a in axes[::2]] == ["AU01", "AU04", "AU07", "AU12"]
    assert [line.get_linestyle() for line in axes[0].lines] == ["-", "--", "-", "--"]
    shown = axes[2].lines[2].get_ydata()
    assert np.allclose(shown, stages["filtered"].intensity[:, 0, AU_INDEX[4]])
    assert axes[-1].get_xlabel() == "time (ms)"
    for axis in axes:
        low, high = axis.get_ylim()
        assert low == 0
        assert all(np.max(line.get_ydata()) < high for line in axis.lines)


def test_without_sides_and_with_dropped_edges() -> None:
    settings = Modulation(n=2, edges="drop")
    stages = modulation_stages(driver(sided=False), settings=settings, averaged=driver(False))
    figure = tracks_figure(stages, strongest=2)
    raw, averaged, filtered = figure.axes[0].lines
    assert len(figure.axes[0].lines) == 3
    assert filtered.get_xdata()[0] == 2
    assert raw.get_xdata()[-1] - filtered.get_xdata()[-1] == 2
    assert np.array_equal(raw.get_ydata(), averaged.get_ydata())
    assert figure.axes[-1].get_xlabel() == "frame"


def test_a_blink_is_not_the_expression() -> None:
    assert AU_INDEX[45] not in strongest_aus(driver(), 8)


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_saved_files(tmp_path: Path, suffix: str) -> None:
    stages = modulation_stages(driver())
    path = save_figure(tracks_figure(stages, title="a driver"), tmp_path / "new" / f"f{suffix}")
    assert path.stat().st_size > 5000
    if suffix == ".png":
        with Image.open(path) as picture:
            assert picture.width == 2100
            assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 50
    if suffix == ".pdf":
        again = save_figure(tracks_figure(stages, title="a driver"), tmp_path / "again.pdf")
        assert path.read_bytes() == again.read_bytes()


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="stages are some of raw"):
        tracks_figure({})
    with pytest.raises(InputError, match="got smooth"):
        tracks_figure({"smooth": driver()})
    with pytest.raises(InputError, match=r"a figure is \.png"):
        save_figure(tracks_figure({"raw": driver()}), tmp_path / "f.gif")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write the figure"):
        save_figure(tracks_figure({"raw": driver()}), tmp_path / "file" / "f.png")
