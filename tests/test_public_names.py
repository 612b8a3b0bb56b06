"""What users have written down and may rely on: names, their arguments, commands and options.

A name, an argument or an option may be added. Taking one away, or asking for an argument that was
not asked for, breaks somebody's script: such a change belongs in CHANGELOG, and then in here.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import typer

from famaug.cli import app

NAMES = {
    "famaug": "MicroExpressionSynth Synthesizer Clip ClipRef AUTrack Plan Provenance __version__",
    "famaug.types": "AUS AU_NAMES AU_INDEX SIDES LEFT RIGHT AUTrack Clip ClipRef Plan Provenance",
    "famaug.errors": (
        "FamaugError InputError UsageError MediaError UnusableClipError FaceError TrackError "
        "MissingPackageError WeightsError FetchError CacheError CacheCorruptError CacheFullError "
        "CacheLockedError CacheMissError OutputError LeakageError RenderError RejectedError "
        "TrainingError FamaugWarning FilterTooWideWarning NotNeutralWarning AssumedRateWarning "
        "TableWarning LeftOutWarning UnevenFramesWarning CollapseWarning SmallFaceWarning"
    ),
    "famaug.pipeline": "Synthesizer",
    "famaug.plot": "compare difference flow strip track",
    "famaug.data": (
        "CasMe3 Casme Casme2 ClipFolder Dfme Fold FourDme Guard Look MebClips Megc2019 "
        "MicroExpressionSynth Mmew Samm Smic SmicLong SubjectSubset SynthClip SynthTransform "
        "as_pair fit_look k_fold_by_subject leave_one_dataset_out leave_one_subject_out load_look "
        "pad_clips sample_clip save_look"
    ),
    "famaug.store": (
        "CacheWriter ClipCache StoredClip VerifyReport cache_info cache_key export_png "
        "export_webdataset list_clips seal unseal verify"
    ),
    "famaug.generation": "Generation Resources generate",
    "famaug.recognition": "as_input load_recogniser",
    "famaug.samples": "table faces face",
    "famaug.testing": "make_clip make_replica make_openface",
}

SIGNATURES = {
    "famaug.MicroExpressionSynth": (
        "dataset *ratio *cache= *synthesizer= *mode= *identities= *transform= *seed= *as_clip= "
        "*as_item= *held_out= *label_of= *look= *layout= *tracks= *balance= *passthrough= *items="
    ),
    "famaug.MicroExpressionSynth.set_epoch": "self epoch",
    "famaug.MicroExpressionSynth.collate": "self samples",
    "famaug.MicroExpressionSynth.render_batch": "self batch device=",
    "famaug.Synthesizer": (
        "*generator= *skin= *halves= *superres= *size= *modulation= *sizes= *fps= *peak= *look= "
        "*device= *estimator= *measured="
    ),
    "famaug.Synthesizer.plan": "self driver identity rng",
    "famaug.Synthesizer.measure": "self driver",
    "famaug.Synthesizer.render": "self plans",
    "famaug.Clip": "ref frames",
    "famaug.ClipRef": (
        "dataset subject clip frames= video= fps= onset= apex= offset= emotion= action_units="
    ),
    "famaug.AUTrack": ("intensity confidence estimator sided= scale= fps= modulated= subjects="),
    "famaug.AUTrack.of": (
        "intensity *estimator *confidence= *sided= *scale= *fps= *modulated= *subjects="
    ),
    "famaug.Plan": (
        "driver identity track generator weights size fps superres= look= seed= params="
    ),
    "famaug.Plan.from_json": "value",
    "famaug.Provenance": (
        "plan driver_subject identity_subject label label_source quality= version= licence= engine="
    ),
    "famaug.data.ClipFolder": "root *dataset= *table= *keep=",
    "famaug.data.Casme2": "root *clip= *label= *numbered= *span= *missing= *table= *keep=",
    "famaug.data.Megc2019": "*smic= *casme2= *samm= *numbered= *missing=",
    "famaug.data.Fold": "name train test held_out",
    "famaug.data.Guard": "held_out",
    "famaug.data.SynthTransform": "p= **options",
    "famaug.data.SynthClip": (
        "p= kind= identities= gain= neutral= modulation= sizes= device= unusable= held_out= seed="
    ),
    "famaug.data.as_pair": "sample",
    "famaug.data.fit_look": "dataset *clips= *seed= *as_clip= *measured=",
    "famaug.data.leave_one_subject_out": "dataset *subjects=",
    "famaug.data.leave_one_dataset_out": "dataset *subjects=",
    "famaug.data.k_fold_by_subject": "dataset k *seed= *subjects=",
    "famaug.data.load_look": "path",
    "famaug.data.save_look": "look path",
    "famaug.data.pad_clips": "samples",
    "famaug.data.sample_clip": "frames= size= *layout= *scaled=",
    "famaug.store.CacheWriter": "root *shard= *codec= *quality=",
    "famaug.store.ClipCache": "root",
    "famaug.store.StoredClip": "key frames provenance codec",
    "famaug.store.cache_info": "root",
    "famaug.store.cache_key": "plan *codec= *quality=",
    "famaug.store.export_png": "root out *progress= *questions=",
    "famaug.store.export_webdataset": "root out *progress= *questions=",
    "famaug.store.list_clips": "root",
    "famaug.store.seal": "root *progress=",
    "famaug.store.unseal": "root",
    "famaug.store.verify": "root *progress=",
    "famaug.generation.Generation": (
        "*out *dataset= *annotations= *rules= *tables= *as_is= *strength= *own_faces= "
        "*faces_per_subject= *pictures= *per_driver= *per_rule= *synthesizer= *seed= *codec= "
        "*quality= *measured= *gate= *tries= *licence="
    ),
    "famaug.generation.Resources": (
        "*engine= *workers= *device= *clip_limit_s= *copy_shards= *ray_address= *ray_cpus= "
        "*ray_gpus="
    ),
    "famaug.generation.generate": "settings resources= *dry_run= *progress= *stop=",
    "famaug.recognition.as_input": "spec",
    "famaug.plot.compare": "real synthetic *names= *ax=",
    "famaug.plot.difference": "clip *between= *gain= *ax=",
    "famaug.plot.flow": "clip *ax=",
    "famaug.plot.strip": "clip *between= *ax=",
    "famaug.plot.track": "track measured= *aus= *marks= *columns= *width= *ax=",
    "famaug.samples.face": "name",
    "famaug.testing.make_clip": "seed *frames= *size= *shift= *dataset= *subject= *fps=",
    "famaug.testing.make_openface": (
        "path *layout= *frames= *fps= *units= *onset= *apex= *offset= *seed="
    ),
    "famaug.testing.make_replica": (
        "name root *identities= *subjects= *clips= *kind= *size= *longest= *seed="
    ),
}
"""Argument by argument: `*` before a name is "by keyword only", `=` after it "may be left out"."""

COMMANDS = {
    "demo": "--identities --json --offline --out --seed --size",
    "samples": "FOLDER --dataset --json",
    "init": "KIND FOLDER --dataset --json --root",
    "aus": (
        "SOURCE --backend --device --dry-run --face --fps --json --neutral --neutral-picture --out "
        "--sizes --window"
    ),
    "modulate": (
        "SOURCES --alpha --apex --dry-run --edges --face --figure --fps --gain --gain-aus --json "
        "--length --max-gap --method --min-confidence --n --no-table --out --presence-gate "
        "--reference --seed --table --target-aus --threshold --threshold-form --to-fps"
    ),
    "generate": (
        "--as-is --device --driver --dry-run --face --fps --gate --generator --halves --identity "
        "--json --out --peak --seed --size --skin --superres --tries"
    ),
    "upscale": (
        "SOURCE --check --device --dry-run --fps --json --memory --model --neutral --out "
        "--precision --scale --size --temporal --tolerance"
    ),
    "pregenerate": "CONFIG OVERRIDES --dry-run --engine --json --seal --workers",
    "quality": "SOURCE --against --clips --faces --fetch --frames --json --report --strict",
    "recognise": "CONFIG OVERRIDES --dry-run --json --select --shard --weights",
    "ablate": "CONFIG OVERRIDES --dry-run --json --per-clip --shard",
    "train": "KIND CONFIG OVERRIDES --json",
    "bench": "NAME --json",
    "doctor": (
        "--clip --dataset --expect --held-out --images --json --look --out --profile --table PATH"
    ),
    "cache info": "FOLDER --json",
    "cache ls": "FOLDER --driver --identity --json --label",
    "cache verify": "FOLDER --json",
    "cache seal": "FOLDER --dry-run --json",
    "cache unseal": "FOLDER --json",
    "cache export": "FOLDER --dry-run --json --out --questions",
    "labels": "READER ROOT --dry-run --json --option --out --questions",
    "weights list": "--json",
    "weights card": "NAME --json",
    "weights fetch": "NAME --json --own-file",
    "weights import": "SOURCE --dry-run --json --kind --out",
}
"""Options, and positional arguments in capitals."""


def named(path: str) -> Any:
    """The class, function or method behind "famaug.room.Name.method"."""
    room, _, name = path.partition(".")
    found: Any = import_module(room)
    for part in name.split("."):
        if hasattr(found, "__path__") and f"{found.__name__}.{part}" in NAMES:
            found = import_module(f"{found.__name__}.{part}")
        else:
            found = getattr(found, part)
    return found


def broken(promised: str, function: Any) -> list[str]:
    """What a caller who knows the promised arguments would meet: nothing where it is kept."""
    wrong = []
    given = inspect.signature(function).parameters
    asked = promised.split()
    positional = [w.strip("=") for w in asked if not w.startswith("*")]
    by_place = [
        p.name for p in given.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if by_place[: len(positional)] != positional:
        wrong.append(f"by place: {positional} promised, {by_place} found")
    for word in asked:
        name = word.strip("*=")
        parameter = given.get(name)
        if parameter is None:
            wrong.append(f"{name} is gone")
        elif word.endswith("=") and parameter.default is parameter.empty:
            wrong.append(f"{name} must now be given")
    known = {w.strip("*=") for w in asked}
    wrong += [
        f"{p.name} is new and must be given"
        for p in given.values()
        if p.name not in known
        and p.default is p.empty
        and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]
    return wrong


def typed_commands(group: Any = None, above: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from typed_commands(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


@pytest.mark.parametrize("room", NAMES)
def test_names(room: str) -> None:
    module = import_module(room)
    missing = [name for name in NAMES[room].split() if not hasattr(module, name)]
    assert not missing, f"{room}: {missing}"


@pytest.mark.parametrize("path", SIGNATURES)
def test_signatures(path: str) -> None:
    assert not broken(SIGNATURES[path], named(path))


def test_commands_and_options() -> None:
    found = {
        name: {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        for name, command in typed_commands()
    }
    wrong = []
    for name, options in COMMANDS.items():
        asked = {o if o.startswith("-") else o.lower() for o in options.split()}
        wrong += [f"famaug {name} {o}" for o in sorted(asked - found.get(name, set()))]
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("promised", "says"),
    [
        ("a *b=", []),
        ("a", []),
        ("*b a", []),
        ("a *c=", ["c is gone"]),
        ("b", ["by place"]),
        ("a= *b=", ["a must now be given"]),
        ("*b=", ["a is new"]),
    ],
)
def test_what_breaks_a_promise(promised: str, says: list[str]) -> None:
    def function(a: int, *, b: int = 0) -> None: ...

    found = broken(promised, function)
    assert [any(f.startswith(s) for f in found) for s in says] == [True] * len(says), found
    assert bool(found) is bool(says), found
