"""Calls in Istio's ambient mode, station by station. The verdicts of ztunnel itself are in tests/conformance/istio-ambient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.batch import ask

Json = dict[str, Any]
SHOP = (Path(__file__).parent / "ambient_examples.yaml").read_text()
WEB, CRON, OLD = ({"namespace": n, "workload": w} for n, w in (("shop", "web"), ("legacy", "cron"), ("old", "app")))
API: Json = {"url": "http://api.shop/"}


def security(kind: str, spec: str, name: str, namespace: str = "shop", more: str = "") -> str:
    return f"apiVersion: security.istio.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}{more}}}\nspec: {spec}\n"


def authz(spec: str, name: str = "p", namespace: str = "shop", more: str = "") -> str:
    return security("AuthorizationPolicy", spec, name, namespace, more)


def peers(spec: str, namespace: str = "shop", name: str = "pa") -> str:
    return security("PeerAuthentication", spec, name, namespace)


def network(spec: str) -> str:
    return f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: n, namespace: shop}}\nspec: {spec}\n"


def pod(port: int, name: str = "api") -> Json:
    return {"namespace": "shop", "pod": name, "port": port}


def at_api(rule: str, action: str = "ALLOW") -> str:
    return authz(f"{{selector: {{matchLabels: {{app: api}}}}, action: {action}, rules: [{rule}]}}")


STRICT = peers("{mtls: {mode: STRICT}}")
BY_WEB = 'from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}]'
MESH_STRICT = peers("{mtls: {mode: STRICT}}", "istio-system", "mesh")


def only(port: int) -> str:
    return network(
        "{podSelector: {matchLabels: {app: api}}, ingress: "
        f"[{{from: [{{podSelector: {{matchLabels: {{app: web}}}}}}], ports: [{{port: {port}}}]}}]}}"
    )


def own_ports(modes: str) -> str:
    return peers(f"{{selector: {{matchLabels: {{app: api}}}}, {modes}}}", name="own")


CASES: list[tuple[str, list[str], Json, Json, str, str]] = [
    # what is asked, documents, caller, target, verdict, symptom
    ("no policy", [], WEB, API, "allowed", "http"),
    ("an empty policy allows nothing", [authz("{}")], WEB, API, "denied", "reset"),
    ("the caller's principal", [at_api(f"{{{BY_WEB}}}")], WEB, API, "allowed", "http"),
    ("no principal in plaintext", [at_api(f"{{{BY_WEB}}}")], CRON, pod(8080), "denied", "reset"),
    ("`spiffe://` never matches", [at_api('{from: [{source: {principals: ["spiffe://cluster.local/ns/shop/sa/web"]}}]}')], WEB, API,
     "denied", "reset"),
    ("the port of the Service", [at_api('{to: [{operation: {ports: ["80"]}}]}')], WEB, API, "denied", "reset"),
    ("the port of the pod", [at_api('{to: [{operation: {ports: ["8080"]}}]}')], WEB, API, "allowed", "http"),
    ("an ALLOW by method", [at_api("{to: [{operation: {methods: [GET]}}]}")], WEB, API, "denied", "reset"),
    ("a DENY by method", [at_api("{to: [{operation: {methods: [GET]}}]}", "DENY")], WEB, API, "allowed", "http"),
    ("a DENY by method and port",
     [at_api('{from: [{source: {namespaces: [shop]}}], to: [{operation: {methods: [DELETE], ports: ["8080"]}}]}', "DENY")], WEB, API,
     "denied", "reset"),
    ("a DENY with an empty `to`",
     [at_api("{from: [{source: {namespaces: [shop]}}], to: [{operation: {methods: [GET]}}]}", "DENY")], WEB, API, "allowed", "http"),
    ("a DENY by header", [at_api('{when: [{key: "request.headers[x-a]", notValues: [b]}]}', "DENY")], WEB, API, "allowed", "http"),
    ("notPrincipals hit plaintext", [at_api('{from: [{source: {notPrincipals: ["cluster.local/ns/shop/sa/web"]}}]}', "DENY")], CRON,
     pod(8080), "denied", "reset"),
    ("notNamespaces admit plaintext", [at_api("{from: [{source: {notNamespaces: [evil]}}]}")], CRON, pod(8080), "allowed", "http"),
    ("trustDomains are not translated", [at_api("{from: [{source: {trustDomains: [cluster.local]}}]}")], WEB, API, "denied", "reset"),
    ("CUSTOM is not applied", [authz("{selector: {matchLabels: {app: api}}, action: CUSTOM, provider: {name: opa}, rules: [{}]}")], WEB,
     API, "allowed", "http"),
    ("an empty selector is nobody's", [authz("{selector: {}, action: DENY, rules: [{}]}")], WEB, API, "allowed", "http"),
    ("dry-run", [authz("{action: DENY, rules: [{}]}", more=', annotations: {istio.io/dry-run: "true"}')], WEB, API, "allowed", "http"),
    ("STRICT and plaintext", [STRICT], CRON, pod(8080), "denied", "reset"),
    ("STRICT and HBONE", [STRICT], WEB, API, "allowed", "http"),
    ("STRICT and UDP", [STRICT], CRON, {"url": "udp://api.shop:80"}, "denied", "refused"),
    ("ALLOW does not outweigh STRICT", [STRICT, at_api("{from: [{source: {ipBlocks: [10.1.0.99/32]}}]}")], CRON, pod(8080), "denied",
     "reset"),
    ("a port that is let off", [own_ports("mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: PERMISSIVE}}")], CRON, pod(8080), "allowed",
     "http"),
    ("and the others", [own_ports("mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: PERMISSIVE}}")], CRON, pod(9090), "denied", "reset"),
    ("DISABLE for a port below a STRICT mesh", [MESH_STRICT, own_ports("portLevelMtls: {8080: {mode: DISABLE}}")], CRON, pod(8080),
     "denied", "reset"),
    ("STRICT for a port of a PERMISSIVE workload in a STRICT mesh",
     [MESH_STRICT, own_ports("mtls: {mode: PERMISSIVE}, portLevelMtls: {9090: {mode: STRICT}}")], CRON, pod(9090), "allowed", "http"),
    ("PERMISSIVE for a port below a namespace that says nothing in a STRICT mesh",
     [MESH_STRICT, peers("{}"), own_ports("portLevelMtls: {8080: {mode: PERMISSIVE}}")], CRON, pod(9090), "allowed", "http"),
    ("a policy of the root namespace", [authz("{}", namespace="istio-system")], WEB, {"url": "tcp://db.shop:5432"}, "denied", "reset"),
    ("inbound calls that bypass ztunnel", [STRICT, authz("{}")], CRON, pod(8080, "open"), "allowed", "http"),
    ("a process of the pod's node", [STRICT, authz("{}")], {"namespace": "legacy", "workload": "agent"}, pod(8080), "allowed", "http"),
    ("a process of another node", [STRICT], {"namespace": "legacy", "workload": "far"}, pod(8080), "denied", "reset"),
    ("the kubelet of the pod's node", [STRICT], {"ip": "192.168.0.2", "node": True}, pod(8080), "allowed", "http"),
    ("another node", [STRICT], {"ip": "192.168.0.1", "node": True}, pod(8080), "denied", "reset"),
    ("some node", [STRICT], {"node": True}, pod(8080), "unknown", "reset"),
    ("a sidecar speaks HBONE", [STRICT, at_api('{from: [{source: {principals: ["cluster.local/ns/old/sa/app"]}}]}')], OLD, API,
     "allowed", "http"),
    ("a refusal behind a sidecar", [authz("{}")], OLD, API, "denied", "503"),
    ("a sidecar that calls a pod's address", [STRICT], OLD, {"url": "http://10.1.0.12:8080/"}, "denied", "reset"),
    ("a headless Service gets plaintext from sidecars", [STRICT], OLD, {"url": "tcp://db.shop:5432"}, "denied", "reset"),
    ("from ambient mode to a sidecar, by mesh config only", [peers("{mtls: {mode: STRICT}}", "old")], WEB, {"url": "http://app.old/"},
     "unknown", "reset"),
    ("from ambient mode to a PERMISSIVE sidecar", [], WEB, {"url": "http://app.old/"}, "allowed", "http"),
    ("from ambient mode to the outside of the mesh", [STRICT], WEB, {"namespace": "legacy", "pod": "cron", "port": 80}, "allowed", "http"),
    ("the port of the application on the wire", [only(8080)], WEB, API, "denied", "timeout"),
    ("the port of the tunnel on the wire", [only(15008)], WEB, API, "allowed", "http"),
    ("ztunnel's own port", [], WEB, pod(15008), "denied", "reset"),
    ("a port that the Service has not", [], WEB, {"url": "http://api.shop:81/"}, "denied", "reset"),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "who", "to", "verdict", "symptom"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_verdict_and_symptom(documents: list[str], who: Json, to: Json, verdict: str, symptom: str) -> None:
    """The verdict that the data plane gives, and what the caller sees."""
    got = trace(documents, who, to)
    seen = got["symptom"]
    assert (got["verdict"], str(seen["status"] or seen["kind"])) == (verdict, symptom), got["hops"]


def trace(documents: list[str], who: Json, to: Json, **more: Any) -> Json:
    """The trace of one question in the shop with more documents."""
    question = {"id": "q", "from": who, "to": to, **more}
    if "pod" in to:
        question.setdefault("protocol", "http")
    world = {"id": "w", "closed_world": True, "manifests": "---\n".join([SHOP, *documents]), "questions": [question]}
    return ask([world], brief=False)["w", "q"]


def test_sidecars_that_take_hbone() -> None:
    """Mesh config that has sidecars listen for HBONE gives calls from ambient mode their identity."""
    config = "defaultConfig: {proxyMetadata: {ISTIO_META_ENABLE_HBONE: 'true'}}"
    strict = peers("{mtls: {mode: STRICT}}", "old")
    world = {"id": "w", "closed_world": True, "manifests": "---\n".join([SHOP, strict]), "mesh_config": config, "questions": [
        {"id": "q", "from": WEB, "to": {"url": "http://app.old/"}}]}  # fmt: skip
    assert ask([world])["w", "q"]["verdict"] == "allowed"
    world["mesh_config"] = "defaultConfig: {}"
    refused = ask([world])["w", "q"]
    assert (refused["verdict"], refused["symptom"]["kind"]) == ("denied", "reset")


def test_trust_domains_are_compared_as_written() -> None:
    """`cluster.local` stands for the mesh's own trust domain at sidecars, not at ztunnel."""
    manifests = "---\n".join([SHOP, at_api(f"{{{BY_WEB}}}")])
    world = {"id": "w", "closed_world": True, "manifests": manifests, "mesh_config": "trustDomain: corp",
             "questions": [{"id": "q", "from": WEB, "to": API}]}  # fmt: skip
    assert ask([world])["w", "q"]["verdict"] == "denied"


def test_a_refusal_names_ztunnel_its_policy_and_its_log() -> None:
    """The station is ztunnel's, the deciding policy is named, and the log line that proves it stands in the notes."""
    got = trace([at_api("{from: [{source: {namespaces: [shop]}}]}", "DENY")], WEB, API)
    decided = got["decided_by"]
    assert (decided["station"], decided["enforcer"], decided["policy_id"]) == ("authorization", "ztunnel", "shop/p")
    assert decided["object"]["name"] == "p"
    assert any("explicitly denied by: shop/p" in note for note in got["notes"])


def test_the_wire_of_hbone_is_the_tunnel() -> None:
    """A fix of a network policy opens the port of the tunnel."""
    got = trace([only(8080)], WEB, API)
    assert "15008" in got["fixes"][0]["description"]
    assert got["fixes"][0]["verified"]


def test_plaintext_callers_are_enrolled() -> None:
    """A caller without identity is brought into ambient mode, not given a sidecar."""
    got = trace([STRICT], CRON, API)
    assert "istio.io/dataplane-mode=ambient" in got["fixes"][0]["description"]
    assert got["fixes"][0]["verified"]


def test_what_ztunnel_does_not_apply_is_said() -> None:
    """CUSTOM policies and RequestAuthentications of a workload in ambient mode are named as not applied."""
    custom = authz("{selector: {matchLabels: {app: api}}, action: CUSTOM, provider: {name: opa}, rules: [{}]}")
    token = security("RequestAuthentication", "{jwtRules: [{issuer: a}]}", "t")
    stations = [s for hop in trace([custom, token], WEB, API)["hops"] for s in hop["stations"]]
    beside = {s["station"]: s["verdict"] for s in stations if s["verdict"] == "not-applicable"}
    assert beside == {"audit": "not-applicable", "request-authentication": "not-applicable"}
