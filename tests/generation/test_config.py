"""The configuration: all that is wrong at once, folds and subjects, exit codes."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from famaug.cli import app
from famaug.commands.terminal import exit_code
from famaug.config.generation import GENERATION, open_dataset, open_generation
from famaug.errors import FamaugError, InputError, MediaError
from famaug.testing import make_replica
from tests.generation.generation_builders import small_dataset, write_pictures


def config_of(tmp_path: Path, text: str, *overrides: str):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return GENERATION.read(path, overrides)


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """
otu: x
drivers: {per_rule: ten, rule: []}
identities: 4
render: {sise: 96}
work: {wokers: 2, ray: {cpu: 1}}
"""
    with pytest.raises(InputError) as error:
        config_of(tmp_path, text)
    said = str(error.value)
    assert "8 values are wrong" in said
    for line in (
        "otu is unknown; did you mean out?",
        "out is missing (a path)",
        "drivers.per_rule must be a whole number or null; got 'ten'",
        "drivers.rule is unknown; did you mean drivers.rules?",
        "identities has keys of its own; got 4",
        "render.sise is unknown; did you mean render.size?",
        "work.wokers is unknown; did you mean work.workers?",
        "work.ray.cpu is unknown; did you mean work.ray.cpus?",
    ):
        assert line in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a list", "a mapping of keys was asked for"),
        ("out: [", "c.yaml: "),
        ("out: ${nowhere}", "nowhere"),
        ("out: ''", "out must name a file or folder"),
    ],
)
def test_unreadable_files(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        config_of(tmp_path, text)
    with pytest.raises(InputError, match="No such file"):
        GENERATION.read(tmp_path / "gone.yaml")


def test_options_of_reader_and_modulation_are_checked(tmp_path: Path) -> None:
    small_dataset(tmp_path / "data")
    text = f"""
out: x
dataset: {{root: {tmp_path}/data, options: {{tabel: t.csv}}}}
"""
    with pytest.raises(InputError, match=r"dataset.options.tabel is unknown; did you mean .*table"):
        open_generation(config_of(tmp_path, text))
    with pytest.raises(InputError) as error:
        config_of(tmp_path, text, "render.modulation.treshold=1", "render.modulation.edges=shrnk")
    assert "render.modulation.treshold is unknown; did you mean" in str(error.value)
    assert "edges must be shrink, reflect or drop; got 'shrnk'; did you mean shrink?" in str(error)
    with pytest.raises(InputError, match=r"'ClipFoldr'; there are .*did you mean ClipFolder"):
        open_generation(config_of(tmp_path, text, "dataset.reader=ClipFoldr"))


@pytest.mark.parametrize(
    "name", ["ClipFolder", "clipfolder", "famaug.data.clips:ClipFolder", "famaug.data:ClipFolder"]
)
def test_a_reader_goes_by_every_one_of_its_names(tmp_path: Path, name: str) -> None:
    small_dataset(tmp_path / "data")
    text = f"out: x\ndataset: {{root: {tmp_path}/data, options: {{dataset: d}}}}"
    data, _ = open_dataset(config_of(tmp_path, text, f"dataset.reader={name}"))
    assert {r.dataset for r in data.refs} == {"d"}


def test_options_that_a_reader_passes_on_are_known(tmp_path: Path) -> None:
    text = f"out: x\ndataset: {{root: {tmp_path}, reader: smic-nir, options: {{span: whole}}}}"
    with pytest.raises((InputError, MediaError)) as error:  # the folder is no release of SMIC
        open_generation(config_of(tmp_path, text))
    assert "dataset.options" not in str(error.value)
    with pytest.raises(InputError, match=r"options\.spam is unknown; did you mean .*span"):
        open_generation(config_of(tmp_path, text.replace("span", "spam")))


def test_subjects_and_folds(tmp_path: Path) -> None:
    small_dataset(tmp_path / "data")

    def subjects(*overrides: str) -> tuple[set[str], list[str]]:
        text = f"out: x\ndataset: {{root: {tmp_path}/data, options: {{dataset: d}}}}"
        data, skipped = open_dataset(config_of(tmp_path, text, *overrides))
        return {r.subject for r in data.refs}, [s.name for s in skipped]

    assert subjects() == ({"s0", "s1", "s2", "s3"}, [])
    assert subjects("dataset.subjects=[s0,d/s2,s9]") == ({"s0", "s2"}, ["s9"])
    assert subjects("dataset.held_out=[d/s1]") == ({"s0", "s2", "s3"}, [])
    assert subjects("dataset.held_out=[1]") == ({"s0", "s2", "s3"}, [])
    with pytest.raises(InputError, match=r"dataset\.held_out: 's9' is nobody here; there are: d/s"):
        subjects("dataset.held_out=[s9]")
    assert subjects("dataset.held_out=[s1]", "dataset.subjects=[s1,s2]") == ({"s2"}, ["s1"])
    fold = ("dataset.fold.by=subject", "dataset.fold.name=d/s3")
    assert subjects(*fold) == ({"s0", "s1", "s2"}, [])
    parts = subjects(
        "dataset.fold.by=parts", "dataset.fold.parts=2", "dataset.fold.name='part 1 of 2'"
    )
    assert len(parts[0]) == 2
    with pytest.raises(InputError, match="nobody here; there are: d/s3"):
        subjects("dataset.fold.by=subject", "dataset.fold.name=d/s33")
    with pytest.raises(InputError, match=r"dataset.fold.by must be none, subject, dataset"):
        subjects("dataset.fold.by=person")
    with pytest.raises(MediaError, match="none of the subjects"):
        subjects("dataset.subjects=[s7]")


@pytest.mark.slow
def test_exit_codes_and_json(tmp_path: Path) -> None:
    from PIL import Image
    from skimage.data import astronaut

    (tmp_path / "p").mkdir()
    Image.fromarray(astronaut()[:256, 96:352]).save(tmp_path / "p" / "a.png")
    config = tmp_path / "c.yaml"
    config.write_text(
        f"out: {tmp_path}/cache\ndrivers: {{rules: ['rule:positive'], per_rule: 2}}\n"
        f"identities: {{pictures: [{tmp_path}/p]}}\nrender: {{size: 64, fps: 20}}\n"
        "gate: {enabled: false}\n"
    )

    def run(*arguments: str) -> tuple[int, dict[str, object]]:
        done = CliRunner().invoke(app, ["pregenerate", str(config), *arguments, "--json"])
        if isinstance(done.exception, FamaugError):
            return exit_code(done.exception), {}
        return done.exit_code, json.loads(done.output.splitlines()[-1])

    code, said = run("--dry-run")
    assert (code, said["planned"], said["made"]) == (0, 2, 0)
    assert len(said["keys"]) == 2  # type: ignore[arg-type]
    assert not (tmp_path / "cache").exists()
    code, said = run()
    assert (code, said["made"]) == (0, 2)
    # what the gate lets no draw of through is left out and counted, and no failure
    strict = (f"out={tmp_path}/strict", "gate.enabled=true", "gate.tries=2", "gate.limits.au_r=1")
    code, said = run(*strict, "drivers.per_rule=1")
    assert (code, said["made"], said["left_out_by_gate"], said["rejected"]) == (0, 0, 1, 2)
    write_pictures(tmp_path / "noise", 1)
    code, said = run(f"identities.pictures=[{tmp_path}/p,{tmp_path}/noise]", "drivers.per_rule=3")
    assert (code, said["made"], said["there"]) == (1, 1, 2)
    assert said["skipped"][0]["what"] == "identity"  # type: ignore[index]
    assert run("sed=1")[0] == 2
    assert run("--workers", "0")[0] == 2
    assert run("work.device=cuda:99")[0] in (1, 2)


def test_every_name_of_a_data_set_is_the_same(tmp_path: Path) -> None:
    for name in ("smic", "casme2", "samm"):
        make_replica(name, tmp_path / name.upper(), clips=6, subjects=2)

    def opened(reader: str, root: Path | str, **options: object):
        data = {"reader": reader, "root": str(root), "options": options}
        return open_dataset(GENERATION.of({"out": "x", "dataset": data}))[0]

    keys = [
        [r.key for r in opened(name, tmp_path / "CASME2").refs]
        for name in ("casme2", "CASME II", "Casme2", "famaug.data.readers.casme2:Casme2")
    ]
    assert keys[0]
    assert all(k == keys[0] for k in keys)
    whole = opened("composite", tmp_path, missing="skip")
    folders = {n: str(tmp_path / n.upper()) for n in ("smic", "casme2", "samm")}
    assert [r.key for r in opened("MEGC2019", "", missing="skip", **folders).refs] == [
        r.key for r in whole.refs
    ]
    assert {r.dataset for r in whole.refs} == {"smic", "casme2", "samm"}
    assert set(whole.labels) <= {"negative", "positive", "surprise"}
    assert copy.deepcopy(whole).refs == whole.refs  # as pickling does for workers
    with pytest.raises(InputError, match=r"dataset.options.smick is unknown; did you mean"):
        opened("composite", "", smick="x")
    with pytest.raises(InputError, match=r"dataset.root: .*gone is not there"):
        opened("composite", tmp_path / "gone")
