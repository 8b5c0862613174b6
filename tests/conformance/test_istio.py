"""meshcheck gives the verdicts of a real istiod and a real Envoy at a sidecar, a gateway and a waypoint (READMEs beside the cases)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.batch import ask, read_lines
from tests.support.compare import difference

HERE = Path(__file__).parent
SHOWN = 20


@pytest.mark.parametrize("suite", ["istio-sidecar", "istio-gateway", "istio-waypoint"])
def test_every_verdict_status_and_deciding_policy_agree(suite: str) -> None:
    """All questions get the real verdict, what the caller saw, the policy that Envoy named, the backend, the place of redirects."""
    worlds = list(read_lines(HERE / suite / "cases.jsonl.gz"))
    expected = {(row["id"], row["question"]): row for row in read_lines(HERE / suite / "expected.jsonl.gz")}
    traces = ask(worlds)
    wrong = [
        f"{world} {question}: {said}"
        for (world, question), want in expected.items()
        if (said := difference(traces.get((world, question)), want))
    ]
    shown = "\n".join(wrong[:SHOWN])
    assert not wrong, f"{len(wrong)} of {len(expected)} answers differ; the first:\n{shown}"


def test_ztunnel_agrees_on_verdicts_and_waypoints() -> None:
    """All questions in ambient mode get ztunnel's verdict, by the waypoint that it chose, and by none where it chose none."""
    suite = HERE / "istio-ambient"
    expected = {(row["id"], row["question"]): row for row in read_lines(suite / "expected.jsonl.gz")}
    traces = ask(read_lines(suite / "cases.jsonl.gz"), brief=False)
    wrong = [f"{key}: {said}" for key, want in expected.items() if (said := difference(traces.get(key), want))]
    detours = {key for key, found in traces.items() if any(hop["to"].startswith("waypoint ") for hop in found["hops"])}
    wrong += [f"{key}: a waypoint, and ztunnel knows none" for key in detours if key in expected and "via" not in expected[key]]
    assert not wrong, f"{len(wrong)} of {len(expected)} answers differ; the first:\n" + "\n".join(wrong[:SHOWN])
    assert len(expected) > 6000
