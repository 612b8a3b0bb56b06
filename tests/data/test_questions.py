"""Questions in the form of MEGC 2025, answered by the plan or the table alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import webdataset

from famaug.aus.truth import truth_of_provenance, truth_of_ref
from famaug.data import Casme2, Megc2019
from famaug.data.labelling import labels_of_clips, write_labels, write_questions
from famaug.data.questions import coarse_and_fine, questions_on
from famaug.errors import InputError
from famaug.store import CacheWriter, ClipCache, export_png, export_webdataset
from famaug.testing import make_replica
from famaug.types import AUS, ClipRef
from tests.aus.test_truth import provenance
from tests.commands.typed import famaug
from tests.store.store_builders import moving_clip


def asked(dataset: str, emotion: str | None, units: str | None) -> dict[str, str]:
    ref = ClipRef(dataset, "1", "EP", ("a",) * 9, emotion=emotion, action_units=units)
    return {q["question"]: q["answer"] for q in questions_on(truth_of_ref(ref), "v")}


def test_the_challenges_form() -> None:
    ref = ClipRef("casme2", "1", "EP19", emotion="disgust", action_units="4+7+L10")
    found = questions_on(truth_of_ref(ref), "sub01/EP19")
    names = "brow lowerer, lid tightener, upper lip raiser"
    what = "what is the fine-grained expression and the coarse expression class?"
    present = f"The action units present are: {names}. "
    fine, coarse = "fine-grained expression class is disgust", "coarse expression class is negative"
    therefore = f"Therefore, the {fine}, and the {coarse}."
    by_hand = [
        ("What is the coarse expression class?", "negative"),
        ("What is the fine-grained expression class?", "disgust"),
        ("What are the action units?", names),
        ("Is the action unit upper lip raiser located on the left or right face?", "left"),
        (None, "yes"),
        (None, "no"),
        (f"What are the action units present, and based on them, {what}", f"{present}{therefore}"),
    ]
    for n, (one, (question, answer)) in enumerate(zip(found, by_hand, strict=True), 1):
        assert one["video_id"] == f"sub01/EP19_{n}"
        assert one["video"] == "sub01/EP19"
        assert one["people"] == ["casme2/sub01"]
        assert question in (None, one["question"])
        assert one["answer"] == answer


def test_yes_and_no_are_true_for_every_draw() -> None:
    ref = ClipRef("casme2", "1", "EP", action_units="4+7+L10")
    there, gone = set(), set()
    for seed in range(80):
        for one in questions_on(truth_of_ref(ref), "v", seed=seed):
            if one["question"].endswith("shown on the face?"):
                (there if one["answer"] == "yes" else gone).add(one["question"][19:-19].strip())
    assert there == {"brow lowerer", "lid tightener", "upper lip raiser"}
    assert len(gone) > len(AUS) / 2
    assert not there & gone
    assert "blink" not in gone  # coders do not note it


@pytest.mark.parametrize(
    ("dataset", "label", "want"),
    [
        ("casme2", "happiness", ("positive", "happiness")),
        ("casme2", "surprise", ("surprise", "surprise")),
        ("casme2", "others", (None, "others")),
        ("casme2", "negative", ("negative", None)),
        ("smic", "surprise", ("surprise", None)),
        ("mine", "happiness", (None, "happiness")),
        ("mine", "positive", ("positive", None)),
        ("", "surprise", ("surprise", None)),
        ("casme2", None, (None, None)),
    ],
)
def test_classes(dataset: str, label: str | None, want: tuple[str | None, str | None]) -> None:
    truth = truth_of_ref(ClipRef(dataset, "1", "EP", emotion=label))
    assert coarse_and_fine(truth) == want


def test_doubt_and_silence_ask_less() -> None:
    doubtful = asked("casme2", "disgust", "4 or 7")
    assert not any("action units" in q or "located" in q for q in doubtful)
    assert "yes" not in doubtful.values()
    assert asked("casme2", "disgust", None).keys() == {
        "What is the coarse expression class?",
        "What is the fine-grained expression class?",
    }
    assert asked("mine", None, None) == {}


def test_a_number_is_no_emotion() -> None:
    story = provenance({12: (2, 0)}, label=1)
    found = questions_on(truth_of_provenance(story, "k"), "k")
    assert [q["answer"] for q in found] == ["lip corner puller", "left", "yes", "no"]
    assert found[0]["people"] == ["casme2/sub01", "casme2/sub02"]


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_data_set_by_one_command(tmp_path: Path) -> None:
    make_replica("casme2", tmp_path / "CASME2", subjects=3, clips=6, longest=6)
    out, questions = tmp_path / "labels.jsonl", tmp_path / "questions.jsonl"
    command = ("labels", "casme2", tmp_path / "CASME2", "--out", out, "--questions", questions)
    assert famaug(*command, "--dry-run").returncode == 0
    assert not out.exists()
    done = famaug(*command)
    assert done.returncode == 0, done.stderr
    clips, rows = Casme2(tmp_path / "CASME2"), read_lines(out)
    for ref, row in zip(clips.refs, rows, strict=True):
        assert row["clip"] == ref.key
        assert (tmp_path / "CASME2" / row["video"]).is_dir()
        assert row["first_frame"] == Path(ref.frames[0]).name
        assert (row["onset"], row["offset"]) == (ref.onset, ref.offset)
        assert row["label"] == ref.emotion
        assert bool(row["units"]) == bool(ref.action_units)
    assert {q["video"] for q in read_lines(questions)} <= {row["video"] for row in rows}
    wrong = famaug("labels", "casme2", tmp_path / "CASME2", "--out", tmp_path / "x.csv")
    assert wrong.returncode == 2
    assert "must end in .jsonl" in wrong.stderr


def test_an_apex_that_nobody_annotated_is_not_told(tmp_path: Path) -> None:
    make_replica("smic", tmp_path / "SMIC", subjects=2, clips=4, longest=6)
    data = Megc2019(smic=tmp_path / "SMIC", missing="skip")
    assert all(ref.apex is not None for ref in data.refs)  # the middle, for networks
    clips = labels_of_clips(data, tmp_path / "SMIC")
    assert [truth.apex for truth, _ in clips] == [None] * len(data)
    write_labels(clips, data.refs, tmp_path / "labels.jsonl")
    assert write_questions(clips, tmp_path / "questions.jsonl") == len(data)  # the coarse class
    with pytest.raises(InputError, match="no `refs`"):
        labels_of_clips(object(), tmp_path)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # webdataset's files
def test_an_export_carries_labels_and_questions(tmp_path: Path) -> None:
    story = provenance({12: (2, 0)})
    with CacheWriter(tmp_path / "cache") as writer:
        writer.put(story.plan.key, moving_clip(1, t=5), story)
        writer.put("0" * 64, moving_clip(2), None)
    cache, key = ClipCache(tmp_path / "cache"), story.plan.key
    want = truth_of_provenance(story, key)
    assert export_png(cache, tmp_path / "png", questions=questions_on) == 2
    assert json.loads((tmp_path / "png" / key / "labels.json").read_text())["units"] == [
        vars(unit) for unit in want.units or ()
    ]
    assert not (tmp_path / "png" / ("0" * 64) / "labels.json").exists()
    assert read_lines(tmp_path / "png" / "questions.jsonl") == questions_on(want, key)
    (tmp_path / "png" / key / "labels.json").unlink()  # as an older version left it
    export_png(cache, tmp_path / "png")
    assert (tmp_path / "png" / key / "labels.json").exists()
    export_webdataset(cache, tmp_path / "c.tar", questions=questions_on)
    bare, told = webdataset.WebDataset(str(tmp_path / "c.tar"), shardshuffle=False)
    assert json.loads(bare["labels.json"]) is None
    assert json.loads(bare["questions.json"]) == []
    assert json.loads(told["labels.json"])["apex"] == 2
    assert json.loads(told["questions.json"]) == questions_on(want, key)
    done = famaug("cache", "export", tmp_path / "cache", "--out", tmp_path / "new", "--questions")
    assert done.returncode == 0, done.stderr
    assert read_lines(tmp_path / "new" / "questions.jsonl") == questions_on(want, key)
