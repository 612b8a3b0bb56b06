"""Patterns of paths with a place for a clip's data set, subject and name."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from famaug.errors import InputError

PLACES = ("dataset", "subject", "clip")


def check_pattern(pattern: str) -> None:
    """Raises InputError unless it is text with {clip}, each place at most once, and no other."""
    try:
        found = [(name, spec, how) for _, name, spec, how in Formatter().parse(pattern) if name]
        bare = any(name == "" for _, name, _, _ in Formatter().parse(pattern))
    except ValueError as error:
        raise InputError(f"cannot read the pattern {pattern!r}: {error}") from error
    names = [name for name, _, _ in found]
    plain = not bare and not any(spec or how for _, spec, how in found)
    if not plain or "clip" not in names or set(names) - set(PLACES) or len({*names}) < len(names):
        raise InputError(
            "write a pattern of paths with {clip}, {subject} and perhaps {dataset}, each once, as "
            f"openface/{{subject}}/{{clip}}.csv; got {pattern!r}"
        )


def paths_like(pattern: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """Everything on disk that a pattern fits, sorted, with what stands in its places."""
    shape, wanted = "", ""
    for text, name, _, _ in Formatter().parse(pattern):
        shape += glob.escape(text) + ("*" if name else "")
        wanted += re.escape(text) + (f"(?P<{name}>[^/]+)" if name else "")
    for path in sorted(glob.glob(shape)):  # noqa: PTH207  the pattern may be absolute
        match = re.fullmatch(wanted, path)
        if match:
            yield Path(path), match.groupdict()
