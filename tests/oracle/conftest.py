"""What tests that ask the oracle share."""

from __future__ import annotations

import pytest

from tests.oracle.envoy import find_envoy
from tests.oracle.errors import OracleError
from tests.oracle.istiod import find_istiod


@pytest.fixture(scope="session")
def istiod() -> str:
    """The Go program; without it, or without Envoy, the test is skipped and says what to build."""
    try:
        find_envoy()
        return find_istiod()
    except OracleError as error:
        pytest.skip(f"the oracle cannot be asked: {error}")
