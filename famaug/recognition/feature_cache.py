"""Inputs of a whole data set: made in parallel, kept on disk by what they are made from.

A file is named by the digest of the key frames' pixels and of the input's settings, so it is found
again whatever the clip is called or where it lies, and never mistaken for another.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from famaug.data.protocols import AsClip, as_clip_with_label
from famaug.errors import FamaugError, InputError, LeakageError, UnusableClipError
from famaug.files.limits import read_bytes
from famaug.files.whole import write_whole
from famaug.processes import end_with_parent
from famaug.recognition.inputs import Bytes, InputSpec, make_input, make_inputs, needed
from famaug.seeding import digest
from famaug.types import Clip, key_frames

Progress = Callable[[str, int, int], None]
_VERSION = "recognition-input/5"
_DIGEST = 32
_TOGETHER = 8
"""Clips whose TV-L1 flow is computed together: more save nothing, and wait for one another."""


def input_key(clip: Clip, spec: InputSpec) -> str:
    """64 hex digits: changes with the pixels from onset to offset and with the input's settings,
    not with names or paths."""
    onset, apex, offset = key_frames(clip)
    part = clip.frames[onset : offset + 1]
    if spec.kind in ("flow", "pair"):
        part = clip.frames[[onset, apex]]
    pixels = hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest()
    return digest([_VERSION, spec.to_json(), list(part.shape), pixels])


def _path(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.npy"


def _keep(made: Bytes, path: Path) -> None:
    try:
        write_whole(path, _file_of(made))
    except OSError as error:
        raise InputError(
            f"{path}: the input cannot be kept: {error}; free some space, or give another folder"
        ) from error


def _kept(path: Path, spec: InputSpec) -> Bytes | None:
    """What lies there, if it is whole: an .npy file with the digest of its array behind it."""
    count = math.prod(spec.shape)
    with suppress(InputError, OSError, ValueError, EOFError):
        data = read_bytes(path, at_most=count + 4096, error=InputError)
        found = np.frombuffer(data[-_DIGEST - count : -_DIGEST], np.uint8).reshape(spec.shape)
        if data == _file_of(found):
            return found.copy()
    return None


def _file_of(value: Bytes) -> bytes:
    file = io.BytesIO()
    np.save(file, value, allow_pickle=False)
    return file.getvalue() + hashlib.sha256(value.tobytes()).digest()


def dataset_inputs(
    dataset: Any,
    spec: InputSpec,
    *,
    folder: str | os.PathLike[str] | None = None,
    workers: int = 0,
    as_clip: AsClip | None = None,
    progress: Progress | None = None,
    title: str = "inputs",
    left_out: dict[int, str] | None = None,
) -> Bytes:
    """Inputs of all items of a dataset, uint8 `N ...spec.shape`; the same for any `workers`.

    Args:
        dataset: map-style; items as for `famaug.MicroExpressionSynth`. With workers it is pickled.
            One whose `content_key(index)` is a text that changes with the item's pixels (or "")
            need not give an item whose input is kept.
        spec: what is wanted.
        folder: where inputs are kept between runs, or None.
        workers: processes; 0 works in this one.
        as_clip: from an item to (Clip, label).
        progress: is told the title, how many are done, and of how many.
        title: what they are.
        left_out: gets number and reason of the items that no network can use, whose inputs stay
            0; without it they are an error.

    Raises:
        InputError: an item has no usable clip; the message names it.
        LeakageError: a clip that was let in has become another one.
    """
    if workers < 0:
        raise InputError(f"workers must be 0 or more; got {workers}")
    where = None if folder is None else Path(folder)
    job = _Job(dataset, spec, where, as_clip or as_clip_with_label)
    result: Bytes = np.zeros((len(dataset), *spec.shape), np.uint8)
    parts = _parts(len(dataset), spec, workers)
    done = _in_processes(job, parts, workers) if workers else map(job, parts)
    for i, value in enumerate(chain.from_iterable(done)):
        if isinstance(value, str):
            if left_out is None:
                raise InputError(f"item {i} of the dataset: {value}")
            left_out[i] = value
        else:
            result[i] = value
        if progress is not None:
            progress(title, i + 1, len(dataset))
    return result


def _parts(count: int, spec: InputSpec, workers: int) -> list[range]:
    """Items that are worth making together, in order; no worker is left without."""
    together = 1
    if spec.kind == "flow" and spec.flow == "tvl1":
        together = max(1, min(_TOGETHER, math.ceil(count / max(workers, 1))))
    return [range(i, min(i + together, count)) for i in range(0, count, together)]


@dataclass(frozen=True, eq=False)
class _Unmade:
    """A clip whose input is not kept yet, and where it will be."""

    clip: Clip
    path: Path | None


_T = TypeVar("_T")


class _Job:
    """Items by their indices; picklable, so that a process gets the dataset once."""

    def __init__(self, dataset: Any, spec: InputSpec, folder: Path | None, as_clip: AsClip) -> None:
        self.dataset, self.spec, self.folder, self.as_clip = dataset, spec, folder, as_clip

    def __call__(self, indices: Sequence[int]) -> list[Bytes | str]:
        """The input of each; or why no network can use the item."""
        found = {i: self._told(i, partial(self._kept_or_clip, i)) for i in indices}
        made = self._made({i: x for i, x in found.items() if isinstance(x, _Unmade)})
        return [made[i] if isinstance(x, _Unmade) else x for i, x in found.items()]

    def _kept_or_clip(self, index: int) -> Bytes | _Unmade:
        named = getattr(self.dataset, "content_key", None)
        name = "" if named is None else named(index)
        path, found = None, None
        if name and self.folder is not None:
            path = _path(self.folder, digest([_VERSION, self.spec.to_json(), name]))
            found = _kept(path, self.spec)
        if found is None:
            clip, _ = self.as_clip(self.dataset[index])
            if path is None and self.folder is not None:
                path = _path(self.folder, input_key(clip, self.spec))
                found = _kept(path, self.spec)
        return _Unmade(needed(clip, self.spec), path) if found is None else found

    def _made(self, unmade: Mapping[int, _Unmade]) -> dict[int, Bytes | str]:
        try:
            made = make_inputs([x.clip for x in unmade.values()], self.spec)
        except FamaugError:  # one by one, to say which
            return {
                i: self._told(i, partial(make_input, x.clip, self.spec)) for i, x in unmade.items()
            }
        for value, x in zip(made, unmade.values(), strict=True):
            if x.path is not None:
                _keep(value, x.path)
        return dict(zip(unmade, made, strict=True))

    def _told(self, index: int, work: Callable[[], _T]) -> _T | str:
        """What `work` gives; or why no network can use the item; other errors name it."""
        try:
            return work()
        except UnusableClipError as error:
            return str(error)
        except LeakageError:
            raise
        except FamaugError as error:
            raise InputError(f"item {index} of the dataset: {error}") from error


_job: _Job | None = None


def _set_job(job: _Job) -> None:
    global _job
    _job = job
    end_with_parent(grace=0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    import torch

    torch.set_num_threads(1)


def _run_job(indices: Sequence[int]) -> list[Bytes | str]:
    if _job is None:
        raise RuntimeError("the worker process was not set up")
    return _job(indices)


def _in_processes(job: _Job, parts: Sequence[range], workers: int) -> Iterator[list[Bytes | str]]:
    # a fresh interpreter: forking a process that has run threads (torch, OpenCV) may hang
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_set_job, initargs=(job,)
    ) as pool:
        try:
            yield from pool.map(
                _run_job, parts, chunksize=1 if any(len(p) > 1 for p in parts) else 2
            )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
