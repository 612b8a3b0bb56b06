"""The pictures of identities: in memory by their digest, or read again where a plan says."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from famaug.errors import RenderError
from famaug.pipeline.inputs import pixels_digest, read_identity
from famaug.pipeline.plan_checks import identity_of
from famaug.pipeline.recent import Recent
from famaug.types import Picture, Plan


class KnownPictures:
    """The last `most` pictures, and folders below which a stranger's plan may name others.

    Args:
        most: pictures that are kept.
        folders: one, or several; links are resolved.
    """

    def __init__(self, most: int, folders: str | Path | Sequence[str | Path]) -> None:
        named = [folders] if isinstance(folders, str | Path) else [*folders]
        self.folders = tuple(Path(os.path.realpath(folder)) for folder in named)
        self._held: Recent[str, Picture] = Recent(most)

    def keep(self, picture: Picture) -> None:
        """Keep a picture for plans that name it."""
        self._held.put(pixels_digest(picture), picture)

    def keep_chosen(self, identity: dict[str, Any]) -> None:
        """Keep the picture of an identity that the caller chose, unlike one that a stranger's
        plan names: read from its path, wherever that is, where it is not in memory."""
        digest = identity["digest"]
        if self._held.get(digest) is None:
            picture = read_identity(identity.get("source"), digest)
            if picture is not None:
                self._held.put(digest, picture)

    def of(self, plan: Plan) -> Picture:
        """The picture of a plan's identity, in its own size.

        Raises:
            RenderError: it is neither in memory, nor where the plan says below one of the folders.
        """
        digest, _ = identity_of(plan)
        picture = self._held.get(digest)
        if picture is None:
            source = plan.identity.get("source")
            picture = read_identity(source, digest, below=self.folders)
            if picture is None:
                raise RenderError(
                    f"the face {plan.identity.get('name')!r} (sha256 {digest[:12]}) is not in "
                    f"memory, and {source} is not that picture, or not below a folder given as "
                    "Synthesizer(faces=...): give that, or the picture again with plan()"
                )
            self._held.put(digest, picture)
        return picture
