"""The naive evaluator says what Istio's code and Envoy say, where nothing but AuthorizationPolicies decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.differential.naive_authorization import Call, Mesh, verdict
from tests.support.batch import read_lines

SUITE = Path(__file__).parents[1] / "conformance" / "istio-sidecar"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def mesh_of(world: dict[str, Any]) -> Mesh:
    """The mesh settings of a world."""
    config = yaml.load(world.get("mesh_config", ""), Loader=LOADER) or {}
    return Mesh(
        trust_domain=config.get("trustDomain", "cluster.local"),
        aliases=tuple(config.get("trustDomainAliases") or ()),
        normalization=(config.get("pathNormalization") or {}).get("normalization", "BASE"),
    )


def call_of(question: dict[str, Any], mesh: Mesh) -> Call:
    """A question at the workload foo/svc as its proxy sees it."""
    caller, to = question["from"], question["to"]
    identity = None
    if not caller.get("plaintext"):
        identity = f"spiffe://{caller.get('trust_domain', mesh.trust_domain)}/ns/{caller['namespace']}/sa/{caller['service_account']}"
    return Call(
        namespace="foo",
        labels={"app": "svc", "version": "v1"},
        port=to["port"],
        local_ip=to["ip"],
        peer_ip=question["source_ip"],
        identity=identity,
        sni=question.get("sni", ""),
        http=question.get("protocol") != "tcp",
        method=question.get("method", ""),
        path=question.get("path", ""),
        authority=question.get("host", ""),
        headers=question.get("headers") or {},
        claims=question.get("claims"),
    )


def test_the_naive_evaluator_agrees_with_real_programs() -> None:
    """Worlds without tokens and mTLS settings: the same verdict and deciding policy as in the conformance suite."""
    expected = {(row["id"], row["question"]): row for row in read_lines(SUITE / "expected.jsonl.gz")}
    asked, wrong = 0, []
    for world in read_lines(SUITE / "cases.jsonl.gz"):
        docs = [d for d in yaml.load_all(world["manifests"], Loader=LOADER) if d]
        if any(d["kind"] in ("RequestAuthentication", "PeerAuthentication") for d in docs):
            continue
        mesh = mesh_of(world)
        for question in world["questions"]:
            want = expected[world["id"], question["id"]]
            refused = [text.split(":")[0] for text in want.get("refused_objects", [])]
            policies = [d for d in docs if f"{d['kind']} {d['metadata'].get('namespace')}/{d['metadata']['name']}" not in refused]
            stranger = question["from"].get("trust_domain", mesh.trust_domain) not in mesh.trust_domains
            if stranger or want.get("details") == "path_normalization_failed":
                continue  # neither comes as far as a policy
            asked += 1
            got = verdict([p for p in policies if p["kind"] == "AuthorizationPolicy"], mesh, call_of(question, mesh))
            if got != (want["verdict"], want.get("policy_id")):
                wrong.append(f"{world['id']} {question['id']}: got {got}, want {want['verdict']} {want.get('policy_id')}")
    assert asked > 2000
    assert not wrong, f"{len(wrong)} of {asked} differ\n" + "\n".join(wrong[:20])
