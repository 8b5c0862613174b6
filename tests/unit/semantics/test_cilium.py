"""Policies of Cilium, alone and beside NetworkPolicies. The worked examples, and what Cilium's own code says beside them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from meshcheck.cli.questions import question_of
from meshcheck.cli.world import build_world
from meshcheck.load.read import Reading
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Trace
from meshcheck.semantics.tracing.trace import trace
from tests.unit.semantics.test_network_policy_examples import manifests

Json = dict[str, Any]
API = {"matchLabels": {"app": "api"}}
WEB = {"matchLabels": {"app": "web"}}
DNS_OPEN: Json = {
    "toEndpoints": [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "kube-system", "k8s-app": "kube-dns"}}],
    "toPorts": [{"ports": [{"port": "53"}], "rules": {"dns": [{"matchPattern": "*"}]}}],
}
ONLY_V1: Json = {
    "fromEndpoints": [WEB],
    "toPorts": [{"ports": [{"port": "3000", "protocol": "TCP"}], "rules": {"http": [{"method": "GET", "path": "/v1/.*"}]}}],
}


def cnp(spec: Json, namespace: str = "shop", name: str = "p") -> Json:
    """A CiliumNetworkPolicy."""
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": meta, "spec": spec}


def ccnp(spec: Json, name: str = "c") -> Json:
    """A CiliumClusterwideNetworkPolicy."""
    return {"apiVersion": "cilium.io/v2", "kind": "CiliumClusterwideNetworkPolicy", "metadata": {"name": name}, "spec": spec}


def api_in(*rules: Json, **more: Any) -> Json:
    """A policy for app=api of shop with these ingress rules."""
    return cnp({"endpointSelector": API, "ingress": list(rules), **more})


def api_out(*rules: Json, **more: Any) -> Json:
    """A policy for app=api of shop with these egress rules."""
    return cnp({"endpointSelector": API, "egress": list(rules), **more})


def ask(policies: list[Json], source: str, target: str, np: Json | None = None, **more: Any) -> Trace:
    """The answer in the world of the worked examples; a target is `NAMESPACE/POD:PORT`, or a URL."""
    reading = Reading()
    documents = [manifests({"np": np or {}}), *(json.dumps(policy) for policy in policies)]
    reading.add_text("world.yaml", "\n---\n".join(documents))
    namespace, slash, name = source.partition("/")
    caller = {"namespace": namespace, "workload": name} if slash else {"ip": source}
    pod, _, port = target.rpartition(":")
    space, _, called = pod.partition("/")
    goal: Json = {"url": target} if "://" in target else {"namespace": space, "pod": called, "port": int(port)}
    question = question_of({"id": "q", "from": caller, "to": goal, **more})
    return trace(build_world(reading, closed=True), question)


def verdict(found: Trace) -> str:
    """`allowed`, `unknown`, or the side, or answer, that refuses."""
    if found.verdict != DENIED:
        facts = [fact for fact in (m.fact for m in found.missing) if "is outside the input" not in fact]
        return found.verdict if facts or found.verdict != UNKNOWN else ALLOWED
    assert found.decided_at is not None
    station = found.decided_at[1]
    if found.symptom.kind == "http":
        assert found.symptom.body == "Access denied\r\n"
        return str(found.symptom.status)
    if station.name == "dns":
        return "dns"
    return f"drop {station.summary.partition(':')[0]}"


CASES: list[tuple[str, list[Json], str, str, str, Json]] = [
    ("C1 an empty list does nothing", [cnp({"endpointSelector": API, "ingress": []})], "shop/web", "shop/api:3000", "allowed", {}),
    ("C2 an empty rule closes", [api_in({})], "shop/web", "shop/api:3000", "drop ingress", {}),
    ("C3 own namespace", [api_in({"fromEndpoints": [WEB]})], "shop/web", "shop/api:3000", "allowed", {}),
    ("C3 other namespace", [api_in({"fromEndpoints": [WEB]})], "dev/tool", "shop/api:3000", "drop ingress", {}),
    ("C4 GET", [api_in(ONLY_V1)], "shop/web", "shop/api:3000", "allowed", {"method": "GET", "path": "/v1/x"}),
    ("C4 POST", [api_in(ONLY_V1)], "shop/web", "shop/api:3000", "403", {"method": "POST", "path": "/v1/x"}),
    ("C4 other pod", [api_in(ONLY_V1)], "dev/tool", "shop/api:3000", "drop ingress", {"method": "GET", "path": "/v1/x"}),
    ("C4 other port", [api_in(ONLY_V1)], "shop/web", "shop/api:9000", "drop ingress", {"method": "GET", "path": "/v1/x"}),
    (
        "C5 a rule without requests takes the others away",
        [api_in(ONLY_V1, {"fromEndpoints": [WEB], "toPorts": [{"ports": [{"port": "3000", "protocol": "TCP"}]}]})],
        *("shop/web", "shop/api:3000", "allowed", {"method": "POST", "path": "/v1/x"}),
    ),
    ("C7 blocks mean no pods", [api_out({"toCIDR": ["10.0.0.0/8"]})], "shop/api", "data/db:5432", "drop egress", {}),
    ("C8 DNS", [api_out({"toFQDNs": [{"matchName": "pay.example.com"}]})], "shop/api", "http://pay.example.com/", "dns", {}),
    ("C9 API server", [api_out({"toEntities": ["kube-apiserver"]}, DNS_OPEN)], "shop/api", "https://kubernetes.default/", "allowed", {}),
    (
        "C10 no default deny",
        [ccnp({"endpointSelector": {}, "egress": [DNS_OPEN], "enableDefaultDeny": {"egress": False}})],
        *("shop/api", "data/db:5432", "allowed", {}),
    ),
    ("any pod of the namespace", [api_in({"fromEndpoints": [{}]})], "shop/web", "shop/api:3000", "allowed", {}),
    ("any pod of the namespace only", [api_in({"fromEndpoints": [{}]})], "data/db", "shop/api:3000", "drop ingress", {}),
    (
        "any pod of the cluster",
        [ccnp({"endpointSelector": API, "ingress": [{"fromEndpoints": [{}]}]})],
        *("data/db", "shop/api:3000", "allowed", {}),
    ),
    (
        "a clusterwide policy lets in no address",
        [ccnp({"endpointSelector": API, "ingress": [{"fromEndpoints": [{}]}]})],
        *("203.0.113.7", "shop/api:3000", "drop ingress", {}),
    ),
    (
        "namespace by name",
        [api_in({"fromEndpoints": [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "data"}}]})],
        *("data/db", "shop/api:3000", "allowed", {}),
    ),
    (
        "namespace by label",
        [api_in({"fromEndpoints": [{"matchLabels": {"io.cilium.k8s.namespace.labels.team": "data"}}]})],
        *("data/db", "shop/api:3000", "allowed", {}),
    ),
    (
        "expression without the key",
        [api_in({"fromEndpoints": [{"matchExpressions": [{"key": "legacy", "operator": "DoesNotExist"}]}]})],
        *("shop/web", "shop/api:3000", "allowed", {}),
    ),
    (
        "nobody",
        [api_in({"fromEndpoints": [], "toPorts": [{"ports": [{"port": "3000"}]}]})],
        "shop/web",
        "shop/api:3000",
        "drop ingress",
        {},
    ),
    ("everybody on a port", [api_in({"toPorts": [{"ports": [{"port": "3000"}]}]})], "dev/tool", "shop/api:3000", "allowed", {}),
    ("an entry without ports", [api_in({"fromEndpoints": [WEB], "toPorts": [{}]})], "shop/web", "shop/api:3000", "drop ingress", {}),
    (
        "icmp only",
        [api_in({"fromEndpoints": [WEB], "icmps": [{"fields": [{"type": 8}]}]})],
        "shop/web",
        "shop/api:3000",
        "drop ingress",
        {},
    ),
    ("all ports", [api_in({"fromEndpoints": [WEB], "toPorts": [{"ports": [{"port": "0"}]}]})], "shop/web", "shop/api:3000", "allowed", {}),
    (
        "range",
        [api_in({"fromEndpoints": [WEB], "toPorts": [{"ports": [{"port": "2000", "endPort": 3000}]}]})],
        *("shop/web", "shop/api:3000", "allowed", {}),
    ),
    (
        "named port",
        [api_in({"fromEndpoints": [WEB], "toPorts": [{"ports": [{"port": "grpc", "protocol": "TCP"}]}]})],
        *("shop/web", "shop/api:3000", "drop ingress", {}),
    ),
    ("entity cluster", [api_in({"fromEntities": ["cluster"]})], "dev/tool", "shop/api:3000", "allowed", {}),
    ("entity cluster, outside", [api_in({"fromEntities": ["cluster"]})], "203.0.113.7", "shop/api:3000", "drop ingress", {}),
    ("entity world", [api_in({"fromEntities": ["world"]})], "203.0.113.7", "shop/api:3000", "allowed", {}),
    ("entity world, pod", [api_in({"fromEntities": ["world"]})], "dev/tool", "shop/api:3000", "drop ingress", {}),
    ("entity all", [api_in({"fromEntities": ["all"]})], "203.0.113.7", "shop/api:3000", "allowed", {}),
    ("entity none", [api_in({"fromEntities": ["none"]})], "shop/web", "shop/api:3000", "drop ingress", {}),
    ("block", [api_in({"fromCIDR": ["203.0.113.0/24"]})], "203.0.113.7", "shop/api:3000", "allowed", {}),
    ("one address", [api_in({"fromCIDR": ["203.0.113.7"]})], "203.0.113.7", "shop/api:3000", "allowed", {}),
    (
        "block except",
        [api_in({"fromCIDRSet": [{"cidr": "203.0.113.0/24", "except": ["203.0.113.0/28"]}]})],
        *("203.0.113.7", "shop/api:3000", "drop ingress", {}),
    ),
    (
        "a Service",
        [cnp({"endpointSelector": WEB, "egress": [{"toServices": [{"k8sService": {"serviceName": "api", "namespace": "shop"}}]}]})],
        *("shop/web", "shop/api:3000", "allowed", {}),
    ),
    (
        "another Service",
        [cnp({"endpointSelector": WEB, "egress": [{"toServices": [{"k8sService": {"serviceName": "api", "namespace": "shop"}}]}]})],
        *("shop/web", "data/db:5432", "drop egress", {}),
    ),
    (
        "a name with its DNS rule",
        [api_out({"toFQDNs": [{"matchPattern": "*.example.com"}]}, DNS_OPEN)],
        *("shop/api", "http://pay.example.com/", "allowed", {}),
    ),
    (
        "stars stay in one label",
        [api_out({"toFQDNs": [{"matchPattern": "*.example.com"}]}, DNS_OPEN)],
        *("shop/api", "http://a.pay.example.com/", "drop egress", {}),
    ),
    (
        "a name that DNS rules refuse",
        [
            api_out(
                {"toEntities": ["world"]},
                {**DNS_OPEN, "toPorts": [{"ports": [{"port": "53"}], "rules": {"dns": [{"matchName": "x.org"}]}}]},
            )
        ],
        *("shop/api", "http://pay.example.com/", "dns", {}),
    ),
    (
        "a denial of pods",
        [cnp({"endpointSelector": API, "ingressDeny": [{"fromEndpoints": [WEB]}]})],
        "shop/web",
        "shop/api:3000",
        "drop ingress",
        {},
    ),
    (
        "a denial closes for others, too",
        [cnp({"endpointSelector": API, "ingressDeny": [{"fromEndpoints": [WEB]}]})],
        *("shop/job", "shop/api:3000", "drop ingress", {}),
    ),
    (
        "a denial without default deny",
        [cnp({"endpointSelector": API, "ingressDeny": [{"fromEndpoints": [WEB]}], "enableDefaultDeny": {"ingress": False}})],
        *("shop/job", "shop/api:3000", "allowed", {}),
    ),
    (
        "requests without default deny are free",
        [api_in(ONLY_V1, enableDefaultDeny={"ingress": False})],
        *("shop/web", "shop/api:3000", "allowed", {"method": "POST", "path": "/x"}),
    ),
    (
        "the query is part of the path",
        [api_in({**ONLY_V1, "toPorts": [{"ports": [{"port": "3000", "protocol": "TCP"}], "rules": {"http": [{"path": "/v1"}]}}]})],
        *("shop/web", "shop/api:3000", "403", {"path": "/v1?a=b"}),
    ),
    (
        "a header as it is written",
        [api_in({**ONLY_V1, "toPorts": [{"ports": [{"port": "3000", "protocol": "TCP"}], "rules": {"http": [{"headers": ["X-A: b"]}]}}]})],
        *("shop/web", "shop/api:3000", "allowed", {"headers": {"x-a": "b"}}),
    ),
    (
        "a header that is not there",
        [api_in({**ONLY_V1, "toPorts": [{"ports": [{"port": "3000", "protocol": "TCP"}], "rules": {"http": [{"headers": ["X-A: b"]}]}}]})],
        *("shop/web", "shop/api:3000", "403", {}),
    ),
    (
        "several specs",
        [{**cnp({}), "spec": None, "specs": [{"endpointSelector": WEB, "ingress": [{}]}, {"endpointSelector": API, "ingress": [{}]}]}],
        *("shop/web", "shop/api:3000", "drop ingress", {}),
    ),
    ("hosts are no pods", [api_in({"fromEndpoints": [{}]})], "shop/agent", "shop/api:3000", "unknown", {}),
    ("nodes by label", [api_in({"fromNodes": [{"matchLabels": {"a": "b"}}]})], "shop/web", "shop/api:3000", "unknown", {}),
    ("groups", [api_in({"fromGroups": [{"aws": {}}]})], "203.0.113.7", "shop/api:3000", "unknown", {}),
    ("two kinds of peers", [api_in({"fromEndpoints": [{}], "fromCIDR": ["1.2.3.4"]})], "shop/web", "shop/api:3000", "unknown", {}),
    (
        "authentication",
        [api_in({"fromEndpoints": [WEB], "authentication": {"mode": "required"}})],
        "shop/web",
        "shop/api:3000",
        "unknown",
        {},
    ),
    ("nodes", [ccnp({"nodeSelector": {}, "ingress": [{}]})], "shop/web", "shop/agent:80", "unknown", {}),
]


@pytest.mark.parametrize(("policies", "source", "target", "expected", "request_"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_examples(policies: list[Json], source: str, target: str, expected: str, request_: Json) -> None:
    """Each flow has the verdict, and is refused on the side, that Cilium gives it."""
    found = ask(policies, source, target, **request_)
    assert verdict(found) == expected, [(s.name, s.verdict, s.summary) for hop in found.hops for s in hop.stations]


NO_WEB = cnp({"endpointSelector": API, "ingressDeny": [{"fromEndpoints": [WEB]}]})
DATA = {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "data"}}
ISOLATED: Json = {"shop/n": {"podSelector": API, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": WEB}]}]}}


@pytest.mark.parametrize(
    ("name", "policies", "source", "expected"),
    [
        ("C6 a denial beats what a NetworkPolicy allows", [NO_WEB], "shop/web", "drop ingress"),
        ("what a NetworkPolicy allows stays", [api_in({})], "shop/web", "allowed"),
        ("what Cilium allows is added", [api_in({"fromEndpoints": [DATA]})], "data/db", "allowed"),
        ("what neither allows is refused", [api_in({"fromEndpoints": [WEB]})], "shop/job", "drop ingress"),
        ("a NetworkPolicy takes away rules for requests", [api_in(ONLY_V1)], "shop/web", "allowed"),
        ("policies for other pods change nothing", [cnp({"endpointSelector": WEB, "ingress": [{}]})], "shop/job", "drop ingress"),
    ],
)  # fmt: skip
def test_beside_network_policies(name: str, policies: list[Json], source: str, expected: str) -> None:
    """What both kinds allow adds up; what Cilium denies is denied."""
    assert verdict(ask(policies, source, "shop/api:3000", ISOLATED, method="POST", path="/x")) == expected, name


def test_blocks_of_network_policies_mean_no_pods_where_the_plugin_is_cilium() -> None:
    """Whether they do is unknown of other plugins; with Cilium it is known, and said."""
    blocks: Json = {"shop/n": {"podSelector": API, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}}
    assert verdict(ask([], "shop/web", "shop/api:3000", blocks)) == UNKNOWN
    found = ask([cnp({"endpointSelector": WEB, "ingress": [{}]})], "shop/web", "shop/api:3000", blocks)
    assert verdict(found) == "drop ingress"
    assert any("as Cilium enforces them" in note for note in found.notes)


def test_groups_of_addresses_are_looked_up() -> None:
    """A CiliumCIDRGroup by name, by label, and one that is not there."""
    group = {
        "apiVersion": "cilium.io/v2alpha1",
        "kind": "CiliumCIDRGroup",
        "metadata": {"name": "office", "labels": {"a": "b"}},
        "spec": {"externalCIDRs": ["203.0.113.0/24"]},
    }
    for entry, expected in (
        ({"cidrGroupRef": "office"}, "allowed"),
        ({"cidrGroupSelector": {"matchLabels": {"a": "b"}}}, "allowed"),
        ({"cidrGroupRef": "other"}, "drop ingress"),
        ({"cidrGroupRef": "office", "except": ["203.0.113.7/32"]}, "drop ingress"),
    ):
        assert verdict(ask([group, api_in({"fromCIDRSet": [entry]})], "203.0.113.7", "shop/api:3000")) == expected, entry


def test_the_mode_of_enforcement_is_looked_at() -> None:
    """`enable-policy` of Cilium's ConfigMap: what it says for all pods is not decided here."""
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "cilium-config", "namespace": "kube-system"},
        "data": {"enable-policy": "always"},
    }
    elsewhere = cnp({"endpointSelector": {}, "ingress": [{}]}, "dev")
    assert verdict(ask([elsewhere], "shop/web", "shop/api:3000")) == ALLOWED
    assert verdict(ask([config, elsewhere], "shop/web", "shop/api:3000")) == UNKNOWN


def test_connections_that_nobody_can_look_into_are_unknown_to_rules_for_requests() -> None:
    """TLS, and what is no HTTP; questions about network policies alone ask about the connection."""
    policies = [api_in(ONLY_V1)]
    assert verdict(ask(policies, "shop/web", "https://api.shop:80/v1/x")) == UNKNOWN
    assert verdict(ask(policies, "shop/web", "tcp://api.shop:80")) == UNKNOWN
    assert verdict(ask(policies, "shop/web", "shop/api:3000", layer="network-policy", protocol="tcp")) == ALLOWED


def test_reasons_go_down_to_the_label() -> None:
    """The nearest rule, the field that fails, and what the connection has."""
    found = ask([api_in({"fromEndpoints": [{"matchLabels": {"app": "other"}}]})], "shop/web", "shop/api:3000")
    station = found.decided_at[1] if found.decided_at else None
    assert station is not None
    assert station.decider is not None
    assert station.decider.field == ("spec", "ingress")
    leaf = station.reasons[0].parts[0].parts[0].parts[0]
    assert (leaf.field, leaf.wanted, leaf.actual) == (
        ("spec", "ingress", 0, "fromEndpoints", 0, "matchLabels", "app"),
        ("app=other",),
        "app=web",
    )
