"""meshcheck gives the answers that Istio's code and a real Envoy give now, on worlds that nobody has seen before."""

from __future__ import annotations

import importlib.util
import random

import pytest

from tests.oracle import gen_sidecar, gen_waypoint, run_sidecar, run_waypoint
from tests.oracle.tokens import Jwt
from tests.support.batch import ask
from tests.support.compare import difference

WORLDS = 5


@pytest.mark.oracle
def test_fresh_sidecar_worlds_get_the_real_answers(istiod: str) -> None:
    """Five worlds of a new seed: every verdict, status and deciding policy is the real one."""
    first = random.randrange(10_000_000, 1_000_000_000)
    jwt = Jwt(gen_sidecar.ISSUERS)
    worlds = [gen_sidecar.case(seed, jwt) for seed in range(first, first + WORLDS)]
    rows, lost = run_sidecar.run(worlds, istiod)
    assert not lost
    traces = ask(worlds)
    wrong = [f"{r['id']} {r['question']}: {said}" for r in rows if (said := difference(traces.get((r["id"], r["question"])), r))]
    assert len(rows) == sum(len(w["questions"]) for w in worlds)
    assert not wrong, f"seeds from {first}: {len(wrong)} of {len(rows)} answers differ\n" + "\n".join(wrong)


@pytest.mark.oracle
def test_fresh_waypoint_worlds_get_the_real_answers(istiod: str) -> None:
    """The same at a waypoint."""
    if importlib.util.find_spec("h2") is None:
        pytest.skip("LOUD: no package h2: waypoints were NOT asked")
    first = random.randrange(10_000_000, 1_000_000_000)
    jwt = Jwt(gen_sidecar.ISSUERS)
    worlds = [gen_waypoint.case(seed, jwt) for seed in range(first, first + WORLDS)]
    rows, lost = run_waypoint.run(worlds, istiod)
    assert not lost
    traces = ask(worlds)
    wrong = [f"{r['id']} {r['question']}: {said}" for r in rows if (said := difference(traces.get((r["id"], r["question"])), r))]
    assert not wrong, f"seeds from {first}: {len(wrong)} of {len(rows)} answers differ\n" + "\n".join(wrong)
