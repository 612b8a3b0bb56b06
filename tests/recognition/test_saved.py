"""A trained recogniser in a file: loaded as it was saved, and refused where it would be misused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from famaug.errors import InputError, WeightsError
from famaug.flow.pictures import CHANNELS
from famaug.recognition import build_recogniser, load_recogniser, save_recogniser
from famaug.recognition.saved import About, logits_of, read_about
from famaug.recognition.start import read_start
from famaug.weights.shipped import shipped_path
from famaug.weights.tensor_files import load_tensors, save_tensors
from tests.recognition.test_training import problem_of
from tests.recognition.training_samples import made_samples

NAMES = ("negative", "positive", "surprise")
SHIPS = "flow-cnn/composite"


def saved(path: Path, network: str = "flow-cnn", **more: Any) -> About:
    options = {"width": 8} if network == "flow-cnn" else {}
    net, spec = build_recogniser(network, classes=3, options=options, seed=5)
    more = {"classes": NAMES} | more
    return save_recogniser(path, net, network=network, options=options, spec=spec, **more)


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    about = saved(file, made={"by": "hand"})
    assert read_about(file) == about
    assert about.options["width"] == 8
    assert "dropout" in about.options  # its default may change one day
    net, spec = load_recogniser(file, classes=NAMES)
    assert spec == about.input
    assert not net.training
    assert all(p.requires_grad for p in net.parameters())
    torch.testing.assert_close(logits_of(net, spec), torch.tensor(about.logits), atol=1e-4, rtol=0)


def test_it_can_be_trained_further(tmp_path: Path) -> None:
    saved(tmp_path / "net.safetensors")
    net, spec = load_recogniser(tmp_path / "net.safetensors")
    before = logits_of(net, spec)
    optimizer = torch.optim.SGD(net.train().parameters(), lr=0.1)
    net(torch.rand(4, *spec.shape)).sum().backward()
    optimizer.step()
    assert not torch.equal(logits_of(net, spec), before)


def test_other_classes_or_channels_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    saved(file)
    with pytest.raises(WeightsError, match="it tells apart negative, positive, surprise, in this"):
        load_recogniser(file, classes=["positive", "negative", "surprise"])
    with pytest.raises(WeightsError, match="asked for were happy, sad"):
        load_recogniser(file, classes=["happy", "sad"])
    with pytest.raises(WeightsError, match="channels are u, v, strain; the inputs' are strain, v"):
        load_recogniser(file, channels=["strain", "v", "u"])


def test_a_training_does_not_begin_from_what_means_something_else(tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    saved(file, network="ststnet", classes=made_samples().classes)
    problem = replace(problem_of(), start=read_start(str(file)))
    problem.check()
    turned = replace(problem, samples=replace(problem.samples, u=2))
    with pytest.raises(WeightsError, match=r"training\.start .*its channels are u, v, strain"):
        turned.check()
    other = replace(problem, input_spec={"low": -1.0})
    with pytest.raises(WeightsError, match=r"low 0\.0, here -1\.0: set network\.input\.low"):
        other.check()
    saved(file, network="ststnet", classes=["a", "b", "c"])
    with pytest.raises(WeightsError, match="it tells apart a, b, c, in this order; asked for were"):
        replace(problem, start=read_start(str(file))).check()


def test_weights_without_a_word_on_their_network(tmp_path: Path) -> None:
    net, _ = build_recogniser("flow-cnn", classes=3)
    save_file(net.state_dict(), tmp_path / "bare.safetensors")
    save_tensors(tmp_path / "fold.safetensors", net.state_dict(), {"fold": "d/1"})
    with pytest.raises(WeightsError, match="not a file of tensors that famaug wrote"):
        load_recogniser(tmp_path / "bare.safetensors")
    with pytest.raises(WeightsError, match="without a word on their network"):
        load_recogniser(tmp_path / "fold.safetensors")
    assert read_start(str(tmp_path / "bare.safetensors")).about is None
    with pytest.raises(InputError, match="a recogniser is a file of weights or a name"):
        load_recogniser("flow-cnn/none")


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"network": "os:system"}, "says it is 'os:system'"),
        ({"input": {"kind": "flow", "size": 10**6}}, "up to 1024 pixels"),
        ({"classes": ["one"]}, "of 1 classes"),
        ({"classes": 3}, "what it says of its recogniser"),
        ({"options": {"width": 4}}, "does not hold what it says of itself: FlowCNN"),
        ({"more": 1}, "what it says of its recogniser"),
    ],
)
def test_a_note_that_cannot_be(tmp_path: Path, changed: dict[str, Any], match: str) -> None:
    file = tmp_path / "net.safetensors"
    saved(file)
    tensors, note = load_tensors(file)
    save_tensors(file, tensors, json.loads(json.dumps(note)) | changed)
    with pytest.raises(WeightsError, match=match):
        load_recogniser(file)


def test_the_one_that_ships() -> None:
    """It saw nobody, is small, and tells other classes from its own."""
    path = shipped_path(SHIPS)
    about = read_about(path)
    assert path.stat().st_size < 1e6
    assert (about.classes, about.channels, about.subjects) == (NAMES, CHANNELS, ())
    assert "no real clip" in about.made["from"]
    with pytest.raises(WeightsError, match="flow-cnn/composite: it tells apart negative, pos"):
        load_recogniser(SHIPS, classes=["positive", "negative", "surprise"])
    with pytest.raises(InputError, match="did you mean flow-cnn/composite"):
        load_recogniser("flow_cnn/composit")


def test_a_training_begins_from_the_one_that_ships() -> None:
    about = read_about(shipped_path(SHIPS))
    samples = replace(made_samples(), classes=NAMES)
    problem = replace(problem_of(), samples=samples, network="flow-cnn")
    problem = replace(problem, network_options=about.options, start=read_start(SHIPS))
    problem.check()
    net, spec = problem.build(0)
    torch.testing.assert_close(logits_of(net, spec), torch.tensor(about.logits), atol=1e-3, rtol=0)


def test_a_network_of_ones_own(tmp_path: Path) -> None:
    net, spec = build_recogniser("flow-cnn", classes=3)
    with pytest.raises(InputError, match="a file names a network of famaug's"):
        save_recogniser(
            tmp_path / "x.safetensors",
            net,
            network="mine:Net",
            options={},
            spec=spec,
            classes=NAMES,
        )
