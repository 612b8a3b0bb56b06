"""Makes the builders of the store's tests importable here, in child processes too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Replicas of releases, each written once: `replica("casme2", clips=20)`. Not to be changed."""
    from famaug.testing import make_replica

    made: dict[str, Path] = {}

    def make(name: str, **options: object) -> Path:
        key = repr((name, sorted(options.items())))
        if key not in made:
            root = tmp_path_factory.mktemp("replicas") / name
            made[key] = make_replica(name, root, **{"longest": 7, **options})  # type: ignore[arg-type]
        return made[key]

    return make
