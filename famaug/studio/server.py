"""What the pages of one server share."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from famaug.demo.sample_folder import write_smile
from famaug.errors import InputError
from famaug.studio.desk import Desk
from famaug.studio.library import Library
from famaug.studio.shelf import Shelf

SAMPLE = "clip.mp4"
"""As `famaug samples` writes it."""


class Studio:
    """Desks, the folder, and a place for files that goes when the server ends.

    Args:
        library: what was found in the folder.
        generators: that may be chosen.
        ratings: folder of the ratings.

    Attributes:
        quick: draws pictures; `slow`: measures, packs and judges.
    """

    def __init__(self, library: Library, generators: Sequence[str], ratings: Path) -> None:
        self.library, self.ratings = library, ratings
        self.generators = tuple(dict.fromkeys(("warp", *generators)))
        self.quick, self.slow = Desk("quick"), Desk("slow")
        self._folder = Path(tempfile.mkdtemp(prefix="famaug-studio-"))
        self._lock = threading.Lock()
        self._shelves: dict[str, Shelf] = {}

    def sample_clip(self) -> Path:
        """The sample clip, rendered when it is first asked for."""
        with self._lock:
            path = self._folder / SAMPLE
            if not path.exists():
                write_smile(path)
            return path

    def shelf(self, name: str) -> Shelf:
        """A cache by its name, read when it is first asked for.

        Raises:
            InputError: none of that name.
            CacheError: it is damaged.
        """
        with self._lock:
            found = self._shelves.get(name)
            if found is None:
                path = self.library.caches.get(name)
                if path is None:
                    raise InputError(f"there is no cache {name!r} here")
                found = Shelf(path)
                found.read()
                self._shelves[name] = found
            return found

    def close(self) -> None:
        self.quick.close()
        self.slow.close()
        shutil.rmtree(self._folder, ignore_errors=True)
