"""A data set of clips that a test made."""

from __future__ import annotations

from famaug.types import Clip


class MadeClips:
    """Items are clips; `refs` are theirs."""

    def __init__(self, clips: list[Clip]) -> None:
        self.clips = clips
        self.refs = [c.ref for c in clips]

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> Clip:
        return self.clips[index]
