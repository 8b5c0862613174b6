"""Each concrete request is in exactly one class of the analysis, and has the verdict of its class."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.differential import worlds
from tests.support.batch import read_lines
from tests.support.classes import placed

CASES = Path(__file__).parents[1] / "conformance"


@pytest.mark.parametrize("first", range(0, 120, 30))
def test_random_worlds_of_authorization(first: int) -> None:
    """No request of random worlds is outside all classes, in two of them, or fares otherwise than its class."""
    faults, asked = [], 0
    for seed in range(first, first + 30):
        for one in placed(worlds.world(seed)[0]):
            asked += one.exact
            faults += [f"seed {seed}: {one.fault}"] if one.fault else []
    assert not faults, "\n".join(faults[:5])
    assert asked > 200


@pytest.mark.parametrize("suite", ["istio-sidecar", "istio-gateway", "istio-waypoint"])
def test_worlds_of_the_oracle(suite: str) -> None:
    """The same for questions that real programs answered, at sidecars, gateways and waypoints, with routes and tokens. All are exact."""
    faults, asked = [], 0
    for number, line in enumerate(read_lines(CASES / suite / "cases.jsonl.gz")):
        if number % 5:
            continue
        for one in placed(line):
            asked += one.exact
            faults += [f"{line['id']}: {one.fault or 'not exact'}"] if one.fault or not one.exact else []
    assert not faults, "\n".join(faults[:5])
    assert asked > 200
