from __future__ import annotations

import pytest
from head import MakeHumanHead, default_head

from famaug.errors import FetchError


@pytest.fixture(scope="session")
def head() -> MakeHumanHead:
    try:
        return default_head()
    except FetchError as error:
        pytest.skip(f"the MakeHuman archive is not here: {error}")
