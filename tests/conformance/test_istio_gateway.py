"""meshcheck gives the verdicts of a real istiod and a real Envoy at an ingress gateway (see istio-gateway/README.md)."""

from __future__ import annotations

from pathlib import Path

from tests.support.batch import ask, read_lines
from tests.support.compare import difference

SUITE = Path(__file__).parent / "istio-gateway"
SHOWN = 20


def test_every_verdict_status_and_deciding_policy_agree() -> None:
    """All questions get the real verdict, the status or reset that the caller saw, the backend, the location of redirects."""
    worlds = list(read_lines(SUITE / "cases.jsonl.gz"))
    expected = {(row["id"], row["question"]): row for row in read_lines(SUITE / "expected.jsonl.gz")}
    traces = ask(worlds)
    wrong = [
        f"{world} {question}: {said}"
        for (world, question), want in expected.items()
        if (said := difference(traces.get((world, question)), want))
    ]
    shown = "\n".join(wrong[:SHOWN])
    assert not wrong, f"{len(wrong)} of {len(expected)} answers differ; the first:\n{shown}"
