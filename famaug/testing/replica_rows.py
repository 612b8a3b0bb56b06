"""What the label tables of replicas say: every clip of a release, with its true numbers.

Names and class counts of CASME II, SAMM and SMIC are those of the composite's list and of the
published tables; AUs, timings and the clips outside the composite are drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from famaug.data.megc2019 import LEFT_OUT
from famaug.data.megc2019_list import composite_clips
from famaug.data.readers.corrections import CASME2_APEXES
from famaug.errors import InputError
from famaug.modulation.envelopes import frames_of, timing
from famaug.modulation.rules import EXPERT_RULES
from famaug.seeding import keyed_generator

STRENGTH = (0.6, 1.5)
"""Intensity of an AU at the apex, 0-5."""
FAINT = {25: 0.4, 26: 0.4}
"""Factor on units that would open the mouth farther than a micro-expression does."""
ONE_SIDED = 0.2
"""Share of expressions with a one-sided AU, as in CASME II (49 of 255)."""
RULES: dict[str, tuple[tuple[int, float], ...]] = EXPERT_RULES | {
    "repression": ((14, 1.0), (17, 0.6)),
    "tense": ((4, 0.8), (7, 0.8)),
    "others": ((4, 1.0), (7, 0.4)),
    "positive": EXPERT_RULES["happiness"],
    "negative": ((4, 1.0), (7, 0.5), (15, 0.3), (9, 0.3)),
}
CASME2_MISSING = (
    29, 35, 43, 45, 51, 53, 60, 117, 118, 126, 136, 147, 155, 168, 170, 177, 202, 203, 234, 237,
    238,
)  # fmt: skip
SAMM_EITHER = (15, 18, 41, 64, 154)


@dataclass(frozen=True, kw_only=True)
class ReplicaRow:
    """One expression.

    Attributes:
        subject, clip: as folders spell them.
        emotion: as the table spells it.
        units: (AU as FACS writes it, intensity): what is shown.
        onset, apex, offset: true frame numbers.
        told: cells that the table has wrong, or in its own way ("apex": "/").
        lost: frames (counted from the end) that are not on disk.
    """

    subject: str
    clip: str
    emotion: str
    units: tuple[tuple[str, float], ...] = ()
    onset: int = 1
    apex: int = 1
    offset: int = 1
    told: dict[str, object] = field(default_factory=dict)
    lost: int = 0

    def cell(self, name: str) -> object:
        return self.told.get(name, getattr(self, name))


def rows_of(name: str, *, seed: int, fps: float, longest: int | None) -> list[ReplicaRow]:
    """All rows of a release's replica (`famaug.people.datasets.RELEASES`), in the table's order."""
    rows = [_drawn(name, i, r, seed, fps, longest) for i, r in enumerate(_NAMES[name]())]
    return _QUIRKS.get(name, list)(rows)


def choose(rows: Sequence[ReplicaRow], subjects: int | None, clips: int | None) -> list[ReplicaRow]:
    """Rows of the first `subjects` people, at most `clips`, classes and people as even as can be.

    Raises:
        InputError: more than there are, or fewer than one.
    """
    people = list(dict.fromkeys(r.subject for r in rows))
    if subjects is not None and not 1 <= subjects <= len(people):
        raise InputError(f"subjects must be 1 to {len(people)}; got {subjects}")
    among = [r for r in rows if r.subject in people[:subjects]]
    if clips is None:
        return among
    if not 1 <= clips <= len(among):
        raise InputError(f"clips must be 1 to {len(among)}; got {clips}")
    taken: list[int] = []
    have: Counter[str] = Counter()
    left = list(range(len(among)))
    for _ in range(clips):
        best = min(left, key=lambda i: (have[among[i].subject], have[among[i].emotion.lower()]))
        left.remove(best)
        taken.append(best)
        have.update((among[best].subject, among[best].emotion.lower()))
    return [among[i] for i in sorted(taken)]


def _drawn(
    name: str, i: int, row: ReplicaRow, seed: int, fps: float, longest: int | None
) -> ReplicaRow:
    """Units and numbers of a row."""
    rng = keyed_generator(seed, "replica-row", name, row.subject, row.clip, i)
    rule = RULES.get(_basic(row.emotion), RULES["others"])
    units = [
        (au, float(rng.uniform(*STRENGTH)) * FAINT.get(au, 1.0))
        for au, chance in rule
        if rng.random() < chance
    ]
    units = units or [(rule[0][0], 1.2)]
    side = ("L", "R")[int(rng.integers(2))] if rng.random() < ONE_SIDED else ""
    last = len(units) - 1
    named = [(f"{side if k == last else ''}{au}", v) for k, (au, v) in enumerate(units)]
    rise, fall = (
        frames_of(ms, fps)
        for ms in timing(name.partition("-")[0] if name in ("samm", "smic") else "casme2").draw(rng)
    )
    if longest is not None and rise + fall + 1 > longest:
        rise = max(1, round((longest - 1) * rise / (rise + fall)))
        fall = max(1, longest - 1 - rise)
    apex = row.apex if row.apex > 1 else int(rng.integers(20, 200)) + rise
    onset = max(1, apex - rise)
    return replace(row, units=tuple(named), onset=onset, apex=apex, offset=apex + fall)


def _basic(emotion: str) -> str:
    low = emotion.lower()
    return {"happy": "happiness", "sad": "sadness", "other": "others"}.get(low, low)


# -- which clips there are ------------------------------------------------------------------------


def _composite(name: str) -> dict[str, list[tuple[str, str]]]:
    """Subject to (clip, class)."""
    people: dict[str, list[tuple[str, str]]] = {}
    for (dataset, subject, clip), label in composite_clips().items():
        if dataset == name:
            people.setdefault(subject, []).append((clip, label))
    return people


def _casme2() -> list[ReplicaRow]:
    people = _composite("casme2")
    negative = iter(["disgust"] * 61 + ["repression"] * 27)
    emotions = {"positive": "happiness", "surprise": "surprise"}
    rows: dict[str, list[ReplicaRow]] = {f"sub{i:02d}": [] for i in range(1, 27)}
    for subject, clips in people.items():
        for clip, label in clips:
            emotion = emotions.get(label) or next(negative)
            rows[subject].append(ReplicaRow(subject=subject, clip=clip, emotion=emotion))
    for _, subject, clip in LEFT_OUT:
        rows[subject].append(ReplicaRow(subject=subject, clip=clip, emotion="disgust"))
    rest = ["others"] * 99 + ["sadness"] * 7 + ["fear"] * 2
    names = ["EP06_01", "EP08_1", *(f"EP{20 + i // 4}_{i % 4 + 1:02d}" for i in range(120))]
    # a clip of this name has a wrong offset in the published table
    rows["sub07"].append(ReplicaRow(subject="sub07", clip=names[0], emotion=rest.pop(0), apex=78))
    for i, emotion in enumerate(rest):
        subject = f"sub{i % 26 + 1:02d}"
        rows[subject].append(ReplicaRow(subject=subject, clip=names[i + 1], emotion=emotion))
    out = [r for subject in sorted(rows) for r in sorted(rows[subject], key=lambda r: r.clip)]
    for i, apex in zip(CASME2_MISSING, CASME2_APEXES, strict=True):
        out[i] = replace(out[i], apex=apex)
    return out


def _samm() -> list[ReplicaRow]:
    people = _composite("samm")
    # mixed, or each person would show one emotion
    order = keyed_generator(0, "replica", "samm").permutation(92)
    pool = ["Anger"] * 57 + ["Contempt"] * 12 + ["Disgust"] * 9 + ["Fear"] * 8 + ["Sadness"] * 6
    negative = iter([pool[i] for i in order])
    emotions = {"positive": "Happiness", "surprise": "Surprise"}
    numbers = [i for i in range(6, 38) if i not in (8, 27, 29)]
    rows: dict[str, list[ReplicaRow]] = {f"{i:03d}": [] for i in numbers}
    apexes = {"028_4_1": 1105, "032_3_1": 4945, "032_3_2": 5130, "013_1_9": 5700}
    for subject, clips in people.items():
        for clip, label in clips:
            emotion = emotions.get(label) or next(negative)
            rows[subject].append(
                ReplicaRow(subject=subject, clip=clip, emotion=emotion, apex=apexes.get(clip, 1))
            )
    have = {r.clip for row in rows.values() for r in row}
    extra = [s for s in rows if not rows[s]]
    fillers = ["032"] * ("032_3_2" not in have) + extra + [s for s in rows if s not in extra]
    for i, subject in enumerate(fillers[:26]):
        clip = "032_3_2" if i == 0 and subject == "032" else f"{subject}_8_{i + 1}"
        rows[subject].append(
            ReplicaRow(
                subject=subject,
                clip=clip,
                emotion="Others" if i % 9 == 4 else "Other",
                apex=apexes.get(clip, 1),
            )
        )
    return [r for subject in rows for r in sorted(rows[subject], key=lambda r: r.clip)]


def _smic() -> list[ReplicaRow]:
    people = _composite("smic")
    return [
        ReplicaRow(subject=s, clip=clip, emotion=label)
        for s in sorted(people, key=lambda s: int(s[1:]))
        for clip, label in people[s]
    ]


def _smic_other() -> list[ReplicaRow]:
    kinds = (("ne", "negative"), ("po", "positive"), ("sur", "surprise"))
    return [
        ReplicaRow(subject=f"s{s}", clip=f"s{s}_{code}_{k:02d}", emotion=emotion)
        for s in range(11, 19)
        for code, emotion in kinds
        for k in (1, 2, 3)
    ]


def _simple(
    subject: str, clip: str, emotions: Sequence[str], people: int, each: int
) -> Callable[[], list[ReplicaRow]]:
    def make() -> list[ReplicaRow]:
        return [
            ReplicaRow(
                subject=subject.format(s=s),
                clip=clip.format(s=s, k=k, letter="abcdefgh"[k % 8]),
                emotion=emotions[(s + k) % len(emotions)],
            )
            for s in range(1, people + 1)
            for k in range(1, each + 1)
        ]

    return make


_SEVEN = ("happiness", "surprise", "anger", "disgust", "fear", "sadness", "others")
_NAMES: dict[str, Callable[[], list[ReplicaRow]]] = {
    "casme2": _casme2,
    "samm": _samm,
    "smic": _smic,
    "smic-vis": _smic_other,
    "smic-nir": _smic_other,
    "smic-long": _smic,
    "casme": _simple(
        "sub{s:02d}", "EP{k:02d}_{s}", ("tense", "disgust", "repression", "surprise"), 9, 21
    ),
    "casme3": _simple(
        "spNO.{s}", "{letter}", ("happy", "surprise", "anger", "disgust", "Others"), 43, 20
    ),
    "mmew": _simple("{s}", "S{s:02d}-{k:02d}-001", _SEVEN, 30, 10),
    "4dme": _simple(
        "{s:03d}", "clip_{s}_{k}", ("Positive", "Negative", "Surprise", "Repression"), 9, 10
    ),
    "dfme": _simple("{s:03d}", "{s:05d}_{k:04d}", (*_SEVEN[:6], "contempt"), 20, 20),
}


# -- what their tables have wrong -----------------------------------------------------------------


def _casme2_quirks(rows: list[ReplicaRow]) -> list[ReplicaRow]:
    for i in CASME2_MISSING:
        rows[i] = replace(rows[i], told={"apex": "/"})
    for i, row in enumerate(rows):
        if row.clip == "EP06_01" and row.subject == "sub07":
            rows[i] = replace(row, offset=91, told={**row.told, "offset": 191})
        if (row.subject, row.clip) == ("sub16", "EP01_08"):
            rows[i] = replace(row, lost=3)  # incomplete in the cropped release
    return rows


def _samm_quirks(rows: list[ReplicaRow]) -> list[ReplicaRow]:
    for i, row in enumerate(rows):
        if row.clip == "013_1_9":
            rows[i] = replace(row, offset=5739, told={"offset": 6739})
        if row.clip in ("028_4_1", "032_3_1", "032_3_2"):
            rows[i] = replace(row, told={"apex": row.apex + 3000})
    either = ("R12 or R15", "(R12 or R14)+R15", "L12 or L14", "R12 or R14", "R12 or R14A")
    for i, text in zip(SAMM_EITHER, either, strict=True):
        rows[i] = replace(rows[i], told={**rows[i].told, "units": text})
    for i, text in ((3, "7B"), (5, "A12"), (7, "ref(7B)"), (9, "10A/B"), (11, "T18+4")):
        rows[i] = replace(rows[i], told={**rows[i].told, "units": text})
    return rows


def _smic_quirks(rows: list[ReplicaRow]) -> list[ReplicaRow]:
    short = {"s18_sur_03": 10_000, "s3_po_08": 2, "s3_sur_01": 1, "s3_sur_05": 1, "s3_ne_16": 1}
    return [replace(r, lost=short.get(r.clip, 0)) for r in rows]


def _casme3_quirks(rows: list[ReplicaRow]) -> list[ReplicaRow]:
    """Letter case as in the table, several expressions in a video, an offset of 0."""
    out = []
    for i, row in enumerate(rows):
        video = "b" if row.clip in ("c", "d") else row.clip
        told: dict[str, object] = {"clip": video.upper() if i % 7 == 3 else video}
        out.append(replace(row, clip=video, told=told))
    return out


_QUIRKS: dict[str, Callable[[list[ReplicaRow]], list[ReplicaRow]]] = {
    "casme2": _casme2_quirks,
    "samm": _samm_quirks,
    "smic": _smic_quirks,
    "casme3": _casme3_quirks,
}
