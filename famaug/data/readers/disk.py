"""Folders and frames on disk. Names are compared as text; numbers only in frames' file names."""

from __future__ import annotations

import os
import re
from pathlib import Path

from famaug.clip import PICTURES, natural_key

SEEN = 400
"""Folders looked into before a place is given up."""
_NUMBER = re.compile(r"(\d+)\.[A-Za-z]+$")


class Folders:
    """The folders below a place, listed once each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listed: dict[str, dict[str, str]] = {}

    def names(self, below: str = "") -> list[str]:
        """Names of the folders in a folder, in natural order."""
        return sorted(set(self._list(below).values()), key=natural_key)

    def find(self, path: str) -> Path | None:
        """The folder "a/b/c", exactly so, or else with other letter case; None if not there."""
        at = ""
        for part in path.split("/"):
            have = self._list(at)
            name = have.get(part) or have.get(part.casefold())
            if name is None:
                return None
            at = f"{at}/{name}" if at else name
        return self.root / at

    def below(self, depth: int, first: str) -> list[str]:
        """Folders `depth` levels down, under first-level folders that match a pattern."""
        level = [n for n in self.names() if re.fullmatch(first, n, re.IGNORECASE)]
        for _ in range(depth - 1):
            level = [f"{at}/{n}" for at in level for n in self.names(at)]
        return level

    def shows(self, first: str, frame: str) -> bool:
        """Whether first-level folders match a pattern, and the first picture found in them does."""
        seen = 0
        for name in self.names():
            if not re.fullmatch(first, name, re.IGNORECASE):
                continue
            for _, folders, files in os.walk(self.root / name):
                folders.sort()
                pictures = [f for f in files if _is_picture(f)]
                if pictures:
                    return any(re.fullmatch(frame, f, re.IGNORECASE) for f in pictures[:50])
                seen += 1
                if seen > SEEN:
                    return False
        return False

    def holds_frames(self, path: str, pattern: str) -> bool:
        """Whether a folder itself holds a frame."""
        with os.scandir(self.root / path) as entries:
            return any(re.fullmatch(pattern, e.name, re.IGNORECASE) for e in entries)

    def _list(self, below: str) -> dict[str, str]:
        if below not in self._listed:
            names: dict[str, str] = {}
            try:
                with os.scandir(self.root / below) as entries:
                    exact = sorted(e.name for e in entries if e.is_dir())
            except OSError:
                exact = []
            for name in exact:
                names.setdefault(name.casefold(), name)
            self._listed[below] = names | {n: n for n in exact}
        return self._listed[below]


def frames_by_number(folder: Path, pattern: str) -> dict[int, str]:
    """Frame number to file name: the last digits of the name, padded or not.

    Where two files carry one number ("_0062" and "_00062"), the first by name counts.
    """
    match = re.compile(pattern, re.IGNORECASE)
    found: dict[int, str] = {}
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries)
    for name in names:
        digits = _NUMBER.search(name)
        if digits and match.fullmatch(name):
            found.setdefault(int(digits[1]), name)
    return found


def _is_picture(name: str) -> bool:
    return name.lower().endswith(PICTURES) and not name.startswith(".")
