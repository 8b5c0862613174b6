"""Makes `tests` importable as a package from every test, wherever pytest is started."""

from __future__ import annotations

import pytest

OTHERS = ("tests/cluster/", "tests/shells/", "tests/differential/nginx/", "tests/packaging/", "tests/oracle/")
"""Folders of tests that wait for programs of others: API servers, shells, nginx, Envoy."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for other programs is tried again, which the summary says: a busy machine is no fault of meshcheck."""
    for item in items:
        if item.nodeid.startswith(OTHERS):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=2))
