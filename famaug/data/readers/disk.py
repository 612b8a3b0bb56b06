"""Folders and frames on disk. Names are compared as text; numbers only in frames' file names."""

from __future__ import annotations

import re
from pathlib import Path

from famaug.files.folders import files_below, folders_in, names_in
from famaug.media.clips import PICTURES, natural_key

SEEN = 400
"""Folders looked into before a place is given up."""
FIRST = 50
"""Pictures looked at in the first folder that has some."""
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
            at: Path | None = None
            looked = 0
            for path in files_below(self.root / name):
                if path.parent != at:
                    if looked:
                        return False  # its first folder with pictures has others
                    at = path.parent
                    seen += 1
                    if seen > SEEN:
                        return False
                if path.name.lower().endswith(PICTURES):
                    if re.fullmatch(frame, path.name, re.IGNORECASE):
                        return True
                    looked += 1
                    if looked == FIRST:
                        return False
            if looked:
                return False
        return False

    def holds_frames(self, path: str, pattern: str) -> bool:
        """Whether a folder itself holds a frame."""
        names = names_in(self.root / path)
        return any(re.fullmatch(pattern, n, re.IGNORECASE) for n in names)

    def _list(self, below: str) -> dict[str, str]:
        if below not in self._listed:
            names: dict[str, str] = {}
            try:
                exact = folders_in(self.root / below)
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
    for name in names_in(folder):
        digits = _NUMBER.search(name)
        if digits and match.fullmatch(name):
            found.setdefault(int(digits[1]), name)
    return found
