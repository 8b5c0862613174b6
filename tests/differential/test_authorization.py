"""meshcheck and the naive evaluator give the same verdicts on random worlds."""

from __future__ import annotations

from typing import Any

from tests.differential.naive_authorization import Call, Mesh, verdict
from tests.differential.worlds import WORKLOADS, world
from tests.support.batch import ask

WORLDS, QUESTIONS = 300, 8


def naive(policies: list[dict[str, Any]], settings: dict[str, Any], question: dict[str, Any]) -> tuple[str, str | None]:
    """What the naive evaluator says to a question."""
    mesh = Mesh(
        trust_domain=settings.get("trustDomain", "cluster.local"),
        aliases=tuple(settings.get("trustDomainAliases", ())),
        normalization=settings.get("pathNormalization", {}).get("normalization", "BASE"),
    )
    caller, to = question["from"], question["to"]
    identity = None
    if "plaintext" not in caller:
        identity = f"spiffe://{caller.get('trust_domain', mesh.trust_domain)}/ns/{caller['namespace']}/sa/{caller['service_account']}"
    call = Call(
        namespace=to["namespace"],
        labels=WORKLOADS[to["namespace"], to["workload"]],
        port=to["port"],
        local_ip=to["ip"],
        peer_ip=question["source_ip"],
        identity=identity,
        sni=question.get("sni", ""),
        http=question.get("protocol") != "tcp",
        method=question.get("method", ""),
        path=question.get("path", ""),
        authority=question.get("host", ""),
        headers=question.get("headers", {}),
        claims=question.get("claims"),
    )
    return verdict(policies, mesh, call)


def said(trace: dict[str, Any] | None) -> tuple[str | None, str | None]:
    """Verdict and deciding policy of an answer."""
    trace = trace or {}
    return trace.get("verdict"), (trace.get("decided_by") or {}).get("policy_id")


def test_verdict_and_deciding_policy_are_those_of_the_naive_evaluator() -> None:
    """300 worlds, 2400 calls: the same verdict, and for a refusal the same name in Envoy's log."""
    worlds = [world(seed, QUESTIONS) for seed in range(WORLDS)]
    traces = ask([line for line, _, _ in worlds])
    wrong, tally = [], {"allowed": 0, "denied": 0}
    for line, policies, settings in worlds:
        for question in line["questions"]:
            want = naive(policies, settings, question)
            tally[want[0]] += 1
            if (got := said(traces.get((line["id"], question["id"])))) != want:
                wrong.append(f"{line['id']} {question['id']}: meshcheck {got}, naive {want}")
    assert min(tally.values()) > WORLDS * QUESTIONS / 5, f"the worlds are one-sided: {tally}"
    assert not wrong, f"{len(wrong)} of {WORLDS * QUESTIONS} differ\n" + "\n".join(wrong[:20])
