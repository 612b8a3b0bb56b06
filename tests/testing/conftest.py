from __future__ import annotations

import pytest

from famaug.errors import FetchError
from famaug.testing import MakeHumanHead, default_head


@pytest.fixture(scope="session")
def head() -> MakeHumanHead:
    try:
        return default_head()
    except FetchError as error:
        pytest.skip(f"the MakeHuman archive is not here: {error}")
