"""Weights that timm and torchvision fetch by themselves: told at once where they cannot be had."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from famaug.errors import FetchError

TIMEOUT_S = 5.0


@contextmanager
def fetched_weights(what: str, url: str) -> Iterator[None]:
    """Around the call that may download from `url`.

    Where its host cannot be reached, the hub's library looks into its own cache only, instead of
    trying again for a minute.

    Raises:
        FetchError: the weights are neither here nor to be had.
    """
    try:
        if _reachable(url):
            yield
        else:
            with _offline():
                yield
    except OSError as error:  # urllib's, requests' and the hub's errors all are
        why = " ".join(str(error).split())[:200]
        raise FetchError(
            f"the pretrained weights of {what} cannot be had from {url} ({why}); start once where "
            "there is a network (they are kept), or set network.options.pretrained to false"
        ) from error


def _reachable(url: str) -> bool:
    if getproxies() or os.environ.get("HF_HUB_OFFLINE"):
        return True  # a proxy answers instead, or the library knows
    host = urlsplit(url)
    try:
        socket.create_connection((host.hostname, host.port or 443), TIMEOUT_S).close()
    except OSError:
        return False
    return True


@contextmanager
def _offline() -> Iterator[None]:
    if find_spec("huggingface_hub") is None:  # timm brings it; torchvision's weights need none
        yield
        return
    constants: Any = import_module("huggingface_hub.constants")
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
