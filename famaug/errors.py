"""One tree of errors. A message says what was asked, what was seen, and what to do next."""

from __future__ import annotations


class FamaugError(Exception):
    """Root of every error that famaug raises on purpose."""


def name_in(error: Exception, name: str) -> None:
    """Says in an error what it happened to: in the message of famaug's own, in a note of others.
    Both reach the traceback that a loader's worker sends to its parent."""
    told = error.args[0] if error.args else ""
    if isinstance(error, FamaugError) and isinstance(told, str):
        if name not in told:
            error.args = (f"{name}: {told}", *error.args[1:])
    else:
        error.add_note(f"famaug: this is {name}")


class InputError(FamaugError, ValueError):
    """An argument, a file or a table is not what was asked for."""


class UsageError(InputError):
    """What was typed cannot be: an option, or a key or value of a configuration. Commands and
    recipes end with exit code 2."""


class MediaError(InputError):
    """A picture, video or frame folder cannot be read, or is not what it claims to be."""


class UnusableClipError(InputError):
    """A clip has nothing for a recogniser: one frame, or positions that lie outside its frames."""


class FaceError(InputError):
    """No usable face: none found, too small, or turned away."""


class TrackError(InputError):
    """An AU track is malformed: wrong shape, missing units, too short, too many gaps."""


class MissingPackageError(FamaugError, ImportError):
    """A package that this job needs is not installed; the message says what to type."""


class WeightsError(FamaugError):
    """A weights file is unknown, damaged, hostile or does not fit its network."""


class FetchError(FamaugError):
    """A registry package or its content could not be had, or its sha256 differs."""


class CacheError(FamaugError):
    """Root of the clip cache's errors."""


class CacheCorruptError(CacheError):
    """What was read is not what was written."""


class CacheFullError(CacheError):
    """The disk or quota is full; earlier clips stay readable."""


class CacheLockedError(CacheError):
    """Another process writes here; the message names its pid and host."""


class CacheMissError(CacheError, KeyError):
    """The cache holds no clip of that key."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class OutputError(FamaugError, OSError):
    """A result cannot be written: the disk is full or read-only. Nothing half-written is left."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class LeakageError(FamaugError):
    """A synthetic clip would carry a held-out subject into training."""


class RenderError(FamaugError):
    """A plan cannot be rendered."""


class RejectedError(RenderError):
    """The quality gate let none of the clips drawn through."""


class TrainingError(FamaugError):
    """A training cannot go on: a loss or gradient that is no number, or an unusable data set."""


class FamaugWarning(UserWarning):
    """Root of every warning that famaug gives: the result stands, but look at the numbers."""


class FilterTooWideWarning(FamaugWarning):
    """A filter's window is wide against the clip, so it eats the expression."""


class NotNeutralWarning(FamaugWarning):
    """A driver is not at rest at its onset."""


class AssumedRateWarning(FamaugWarning):
    """A driver does not say its frame rate, and nobody else did: one was assumed."""


class TableWarning(FamaugWarning):
    """A table was read, but something in it was put right (order, numbering)."""


class LeftOutWarning(FamaugWarning):
    """Clips of a data set are left out, because nothing can be learnt from them."""


class UnevenFramesWarning(FamaugWarning):
    """A video's frames lie unevenly in time, so a rate of frames says little about speed."""


class CollapseWarning(FamaugWarning):
    """A generator in training changes nothing, or everything, or does not answer to its AUs."""


class SmallFaceWarning(FamaugWarning):
    """A face is so small that sharpening redraws eyes and teeth."""
