"""The ablation to read: CSV, Markdown, and one HTML file with its plot inlined."""

from __future__ import annotations

import base64
import csv
import io
import textwrap
from pathlib import Path

from jinja2 import Environment

from famaug.files.whole import write_whole
from famaug.recognition.ablation import Ablation, AblationRow, verdict
from famaug.recognition.results import label_of_data

COLUMNS = (
    *("setting", "source", "ratio", "part", "subjects", "clips"),
    *("uf1", "uf1_low", "uf1_high", "uar", "uar_low", "uar_high"),
    *("uf1_gain", "gain_low", "gain_high", "p", "p_corrected"),
)
# Okabe and Ito's palette: readable with the common colour-vision deficiencies
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; font-size: .9rem; display: block; overflow-x: auto }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #ccd; text-align: right }
th:first-child, td:first-child { text-align: left }
.verdict { font-size: 1.2rem } .note { border-left: .3rem solid #D55E00; padding-left: .8rem }
img { max-width: 100%; background: #fff }
</style></head><body>
<h1>{{ title }}</h1>
{% if note %}<p class="note"><strong>{{ note }}</strong></p>{% endif %}
<p class="verdict">{{ verdict }}</p>
<p>{{ how }}</p>
<img src="data:image/svg+xml;base64,{{ plot }}" alt="UF1 against the ratio of synthetic clips">
<table><thead><tr>{% for c in header %}<th>{{ c }}</th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr>{% for c in row %}<td>{{ c }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table>
</body></html>
"""
_HEADER = ("setting", "part", "clips", "UF1", "UAR", "UF1 gain", "p", "p corrected")


def write_ablation(ablation: Ablation, folder: Path) -> None:
    """ablation.csv, ablation.md, ablation.html and ablation.svg in `folder`."""
    plot = ablation_plot(ablation)
    title, note = "Synthetic clips: does it help?", _note(ablation)
    lines = [f"# {title}", "", *([f"**{note}**", ""] if note else []), verdict(ablation), ""]
    lines += [_how(ablation), "", f"| {' | '.join(_HEADER)} |", "|---" * len(_HEADER) + "|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in ablation.rows]
    page = Environment(autoescape=True).from_string(_PAGE)
    html = page.render(
        title=title,
        note=note,
        verdict=verdict(ablation),
        how=_how(ablation),
        plot=base64.b64encode(plot.encode()).decode(),
        header=_HEADER,
        rows=[_cells(row) for row in ablation.rows],
    )
    write_whole(folder / "ablation.csv", _csv(ablation, note))
    write_whole(folder / "ablation.md", "\n".join(lines) + "\n")
    write_whole(folder / "ablation.html", html)
    write_whole(folder / "ablation.svg", plot)


def ablation_plot(ablation: Ablation) -> str:
    """UF1 and UAR against the ratio, a line and a 95 % band a source, as SVG text."""
    import matplotlib
    from matplotlib.figure import Figure

    rows = [r for r in ablation.rows if r.part == "all"]
    plain = next(r for r in rows if not r.setting.source)
    sources = list(dict.fromkeys(r.setting.source for r in rows if r.setting.source))
    with matplotlib.rc_context({"svg.hashsalt": "famaug", "svg.fonttype": "path"}):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        for axes, score in zip(figure.subplots(1, 2), ("uf1", "uar"), strict=True):
            for i, source in enumerate(sources):
                own = [r for r in rows if r.setting.source == source]
                line = [plain, *(r for r in own if not r.setting.alone)]
                x = [r.setting.ratio for r in line]
                middle, low, high = zip(*(r.scores[score] for r in line), strict=True)
                colour = _COLOURS[i % len(_COLOURS)]
                axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
                axes.plot(x, middle, color=colour, marker="o", label=source)
                for row in (r for r in own if r.setting.alone):
                    height, words = row.scores[score][0], f"{source} alone"
                    axes.axhline(height, color=colour, linewidth=1, linestyle=":", label=words)
            axes.axhline(plain.scores[score][0], color="#636a74", linewidth=0.8, linestyle="--")
            axes.set_xlabel("synthetic clips for each real one")
            axes.set_ylabel(score.upper())
            if sources:
                axes.legend(frameon=False)
        note = _note(ablation)
        if note:
            figure.suptitle("\n".join(textwrap.wrap(note, 120)), fontsize=8)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _note(ablation: Ablation) -> str:
    return label_of_data({"optimistic": ablation.optimistic, "data": ablation.data or "real"})


def _how(ablation: Ablation) -> str:
    absent = "0" if ablation.missing == "zero" else "nothing"
    return (
        f"{ablation.network}, {ablation.steps} steps at every ratio, {len(ablation.seeds)} "
        "seed(s), folds by subject, counts pooled over folds. Scores are means over seeds with "
        "95 % intervals from bootstrap over subjects; p is two-sided, from exchanging subjects "
        "between the setting and ratio 0, corrected by Holm within a part. An absent class counts "
        f"{absent}.{_of_rows_alone(ablation)}"
    )


def _of_rows_alone(ablation: Ablation) -> str:
    words = ""
    if any(r.setting.alone for r in ablation.rows):
        words = (
            ' Rows "synthetic only" were trained on synthetic clips alone, into which nobody went '
            "who is tested, once a seed; they are corrected by themselves."
        )
    return " ".join([words, *ablation.notes])


def _cells(row: AblationRow) -> list[str]:
    def with_interval(values: tuple[float, float, float], sign: str = "") -> str:
        middle, low, high = (f"{v:{sign}.3f}" for v in values)
        return f"{middle} [{low}, {high}]"

    test, gain, p = row.comparison, "", ""
    if test is not None:
        gain = with_interval((test.gain.value, test.gain.low, test.gain.high), "+")
        p = f"{test.p:.4f}"
    corrected = "" if row.p_corrected is None else f"{row.p_corrected:.4f}"
    scores = [with_interval(row.scores[s]) for s in ("uf1", "uar")]
    return [row.setting.name, row.part, str(row.clips), *scores, gain, p, corrected]


def _csv(ablation: Ablation, note: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*COLUMNS, *(["note"] if note else [])])
    for row in ablation.rows:
        test = row.comparison
        compared: list[object] = ["", "", "", "", ""]
        if test is not None:
            compared = [test.gain.value, test.gain.low, test.gain.high, test.p, row.p_corrected]
        ratio = "" if row.setting.alone else row.setting.ratio
        where = [row.setting.name, row.setting.source, ratio, row.part, row.subjects, row.clips]
        numbers = [*row.scores["uf1"], *row.scores["uar"], *compared]
        shown = [f"{x:.6g}" if isinstance(x, float) else x for x in numbers]
        writer.writerow([*where, *shown, *([note] if note else [])])
    return out.getvalue()
