"""Pretrained weights without a network: told at once and in words, found where they were kept."""

from __future__ import annotations

import socket
import time

import pytest

from famaug.errors import FetchError
from famaug.recognition.pretrained import fetched_weights
from famaug.recognition.recognisers import build_recogniser


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr("famaug.recognition.pretrained.getproxies", dict)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("name", "options"),
    [("two-branch", {"backbone": "resnet10t"}), ("video", {"architecture": "mc3_18"})],
)
def test_told_at_once(
    name: str, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(FetchError, match=r"pretrained weights of .* cannot be had from https"):
        build_recogniser(name, classes=3, options={**options, "pretrained": True})
    assert sum(waits) < 30  # the hub's library alone tries for 50 s


@pytest.mark.usefixtures("no_network")
def test_what_needs_no_network_goes_on() -> None:
    with fetched_weights("x", "https://example.org"):
        pass
