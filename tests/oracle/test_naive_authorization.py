"""The slow evaluator that authorization is compared with says what Istio's code and Envoy say."""

from __future__ import annotations

import pytest

from tests.differential.test_authorization import QUESTIONS, naive
from tests.differential.worlds import world
from tests.oracle import run_sidecar

WORLDS = 30


@pytest.mark.oracle
def test_the_naive_evaluator_agrees_with_real_programs(istiod: str) -> None:
    """Some of the worlds that meshcheck is compared on: the naive evaluator gives the real verdicts."""
    worlds = [world(seed, QUESTIONS) for seed in range(WORLDS)]
    rows, lost = run_sidecar.run([line for line, _, _ in worlds], istiod)
    assert not lost
    assert not [row["refused_objects"] for row in rows if "refused_objects" in row]
    real = {(row["id"], row["question"]): (row["verdict"], row.get("policy_id")) for row in rows}
    wrong = []
    for line, policies, settings in worlds:
        for question in line["questions"]:
            got, want = naive(policies, settings, question), real[line["id"], question["id"]]
            if got != want:
                wrong.append(f"{line['id']} {question['id']}: naive {got}, real {want}")
    assert not wrong, f"{len(wrong)} of {len(real)} differ\n" + "\n".join(wrong[:20])
