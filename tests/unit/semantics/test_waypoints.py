"""Calls through waypoints: which of them is on the way, what it refuses, and what ztunnel behind it sees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.batch import ask
from tests.unit.semantics.test_ambient import API, CRON, OLD, SHOP, WEB, authz, pod, security

Json = dict[str, Any]
USES = "istio.io/use-waypoint: wp"


def gateway(namespace: str = "shop", labels: str = "", allowed: str = "", status: str = "", name: str = "wp") -> str:
    routes = f", allowedRoutes: {{namespaces: {allowed}}}" if allowed else ""
    return (
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
        f"metadata: {{name: {name}, namespace: {namespace}, labels: {{{labels}}}}}\n"
        f"spec: {{gatewayClassName: istio-waypoint, listeners: [{{name: mesh, port: 15008, protocol: HBONE{routes}}}]}}\n{status}"
    )


def shop(on_service: str = USES, port: str = "appProtocol: http", on_namespace: str = "", on_pod: str = "") -> str:
    """The shop with labels on the Service, its namespace and its pod."""
    text = SHOP.replace(
        "metadata: {name: api, namespace: shop}\nspec: {clusterIP",
        f"metadata: {{name: api, namespace: shop, labels: {{{on_service}}}}}\nspec: {{clusterIP",
    )
    text = text.replace("appProtocol: http", port)
    if on_namespace:
        text = text.replace("istio.io/dataplane-mode: ambient}", f"istio.io/dataplane-mode: ambient, {on_namespace}}}")
    return text.replace("labels: {app: api}", f"labels: {{app: api, {on_pod}}}") if on_pod else text


def service_policy(rules: str = "", action: str = "ALLOW", name: str = "l7") -> str:
    body = f", rules: [{rules}]" if rules else ""
    return authz(f'{{targetRefs: [{{group: "", kind: Service, name: api}}], action: {action}{body}}}', name)


def by_gateway(rules: str = "", namespace: str = "shop", kind: str = "Gateway", name: str = "wp") -> str:
    ref = f"{{group: gateway.networking.k8s.io, kind: {kind}, name: {name}}}"
    return authz(f"{{targetRefs: [{ref}]{f', rules: [{rules}]' if rules else ''}}}", "by-gateway", namespace)


def at_pod(account: str) -> str:
    source = f'{{principals: ["cluster.local/ns/shop/sa/{account}"]}}'
    return authz(f"{{selector: {{matchLabels: {{app: api}}}}, rules: [{{from: [{{source: {source}}}]}}]}}", "at-pod")


def istiod(switch: str) -> str:
    """An istiod with a switch on."""
    container = f"{{name: discovery, image: pilot, env: [{{name: {switch}, value: 'true'}}]}}"
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod, namespace: istio-system}\n"
        "spec: {selector: {matchLabels: {a: b}}, "
        f"template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: [{container}]}}}}}}\n"
    )


ANY_DENY = service_policy("{}", "DENY")
GET_BY_WEB = '{from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}], to: [{operation: {methods: [GET]}}]}'
READY = "status: {addresses: [{type: Hostname, value: wp.shop.svc.cluster.local}]}\n"
NEVER_READY = "status: {conditions: [{type: Accepted, status: Unknown}]}\n"
_PARTS = dict(re.findall(r"^# ([a-z]+)\n((?:[^#].*\n)+)", (Path(__file__).parent / "waypoint_examples.yaml").read_text(), re.MULTILINE))
ROUTE, VIRTUAL, INGRESS, ENTRY, OTHER_CLASS = (_PARTS[name] for name in ("route", "virtual", "ingress", "entry", "other"))
FROM_OUTSIDE: Json = {"external": True}
BANK = authz(
    "{targetRefs: [{group: networking.istio.io, kind: ServiceEntry, name: bank}], rules: [{to: [{operation: {methods: [GET]}}]}]}", "b"
)
TOKENS = '{targetRefs: [{group: "", kind: Service, name: api}], jwtRules: [{issuer: me, jwks: \'{"keys": []}\'}]}'
NETWORK = (
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: n, namespace: shop}}\n"
    "spec: {{podSelector: {{matchLabels: {{{0}}}}}, "
    "ingress: [{{from: [{{podSelector: {{matchLabels: {{{1}}}}}}}], ports: [{{port: {2}}}]}}]}}\n"
)
WP_LABEL = "gateway.networking.k8s.io/gateway-name: wp"

CASES: list[tuple[str, list[str], Json, Json, Json, str, str]] = [
    # what is asked, documents, caller, target, more of the question, verdict, symptom
    ("no policy", [shop(), gateway()], WEB, API, {}, "allowed", "http"),
    ("ztunnel sees the waypoint", [shop(), gateway(), at_pod("web")], WEB, API, {}, "denied", "503"),
    ("two layers, GET", [shop(), gateway(), at_pod("wp"), service_policy(GET_BY_WEB)], WEB, API, {}, "allowed", "http"),
    ("two layers, POST", [shop(), gateway(), at_pod("wp"), service_policy(GET_BY_WEB)], WEB, API, {"method": "POST"}, "denied", "403"),
    ("two layers, the pod's address", [shop(), gateway(), at_pod("wp"), service_policy(GET_BY_WEB)], WEB, pod(8080), {}, "denied", "reset"),
    ("a pod's address goes past a Service's waypoint", [shop(), gateway(), ANY_DENY], WEB, pod(8080), {}, "allowed", "http"),
    ("the port of the Service", [shop(), gateway(), service_policy('{to: [{operation: {ports: ["80"]}}]}')], WEB, API, {}, "allowed",
     "http"),
    ("the port of the pod", [shop(), gateway(), service_policy('{to: [{operation: {ports: ["8080"]}}]}')], WEB, API, {}, "denied", "403"),
    ("a caller outside the mesh goes past it", [shop(), gateway(), ANY_DENY], CRON, API, {}, "allowed", "http"),
    ("a sidecar goes past it", [shop(), gateway(), ANY_DENY], OLD, API, {}, "allowed", "http"),
    ("a gateway goes past it", [shop(), gateway(), ANY_DENY, INGRESS], FROM_OUTSIDE, {"url": "http://shop.example.com/"}, {}, "allowed",
     "http"),
    ("a gateway that is to use it", [shop(USES + ", istio.io/ingress-use-waypoint: 'true'"), gateway(), ANY_DENY, INGRESS], FROM_OUTSIDE,
     {"url": "http://shop.example.com/"}, {}, "denied", "403"),
    ("a typo on the Service", [shop("istio.io/use-waypoint: wpp", on_namespace=USES), gateway(), ANY_DENY], WEB, API, {}, "allowed",
     "http"),
    ("the label of the namespace", [shop("", on_namespace=USES), gateway(), ANY_DENY], WEB, API, {}, "denied", "403"),
    ("the Service opts out", [shop("istio.io/use-waypoint: none", on_namespace=USES), gateway(), ANY_DENY], WEB, API, {}, "allowed",
     "http"),
    ("a waypoint for workloads", [shop(), gateway(labels="istio.io/waypoint-for: workload"), ANY_DENY], WEB, API, {}, "allowed", "http"),
    ("a waypoint for all", [shop(on_pod=USES), gateway(labels="istio.io/waypoint-for: all"), by_gateway()], WEB, pod(8080), {}, "denied",
     "403"),
    ("policies of the Service do not count at a pod's address", [shop(on_pod=USES), gateway(labels="istio.io/waypoint-for: all"), ANY_DENY],
     WEB, pod(8080), {}, "allowed", "http"),
    ("another namespace that admits none", [shop(USES + ", istio.io/use-waypoint-namespace: infra"), gateway("infra"), ANY_DENY], WEB,
     API, {},
     "allowed", "http"),
    ("another namespace that admits all", [shop(USES + ", istio.io/use-waypoint-namespace: infra"), gateway("infra", allowed="{from: All}"),
     ANY_DENY], WEB, API, {}, "denied", "403"),
    ("ready", [shop(), gateway(status=READY), ANY_DENY], WEB, API, {}, "denied", "403"),
    ("never ready", [shop(), gateway(status=NEVER_READY), ANY_DENY], WEB, API, {}, "allowed", "http"),
    ("a root policy does not apply to waypoints", [shop(), gateway(), authz("{}", namespace="istio-system")], WEB, API, {}, "denied",
     "503"),
    ("a policy with the waypoint's labels does not apply",
     [shop(), gateway(), authz(f"{{selector: {{matchLabels: {{{WP_LABEL}}}}}}}")], WEB, API, {}, "allowed", "http"),
    ("the class, from the root", [shop(), gateway(), by_gateway("", "istio-system", "GatewayClass", "istio-waypoint")], WEB, API, {},
     "denied", "403"),
    ("the class, from elsewhere", [shop(), gateway(), by_gateway("", "shop", "GatewayClass", "istio-waypoint")], WEB, API, {}, "allowed",
     "http"),
    ("the Gateway", [shop(), gateway(), by_gateway()], WEB, API, {}, "denied", "403"),
    ("gRPC", [shop(port="appProtocol: grpc"), gateway(), ANY_DENY], WEB, {"url": "grpc://api.shop:80/a.B/C"}, {}, "denied", "200"),
    ("a DENY by method on a TCP port", [shop(port="appProtocol: tcp"), gateway(), service_policy("{to: [{operation: {methods: [DELETE]}}]}",
     "DENY")], WEB, {"url": "tcp://api.shop:80"}, {}, "denied", "reset"),
    ("a port that the Service has not", [shop(), gateway()], WEB, {"url": "http://api.shop:81/"}, {}, "denied", "reset"),
    ("a route of Gateway API", [shop(), gateway(), ROUTE], WEB, {"url": "http://api.shop/v1/x"}, {}, "allowed", "http"),
    ("no route of Gateway API", [shop(), gateway(), ROUTE], WEB, API, {}, "denied", "404"),
    ("routes do not exist without a waypoint", [shop(""), gateway(), ROUTE], WEB, API, {}, "allowed", "http"),
    ("a VirtualService answers", [shop(), gateway(), VIRTUAL], WEB, {"url": "http://api.shop/old"}, {}, "denied", "410"),
    ("a VirtualService aborts", [shop(), gateway(), VIRTUAL], WEB, {"url": "http://api.shop/tea"}, {}, "denied", "418"),
    ("a VirtualService leads on", [shop(), gateway(), VIRTUAL], WEB, API, {}, "allowed", "http"),
    ("both kinds of routes", [shop(), gateway(), VIRTUAL, ROUTE], WEB, API, {}, "unknown", "http"),
    ("no token", [shop(), gateway(), security("RequestAuthentication", TOKENS, "t"),
     service_policy('{from: [{source: {requestPrincipals: ["*"]}}]}')],
     WEB, API, {}, "denied", "403"),
    ("a bad token", [shop(), gateway(), security("RequestAuthentication", TOKENS, "t")], WEB, API, {"jwt": "x.y.z"}, "denied", "401"),
    ("the claims of a token", [shop(), gateway(), security("RequestAuthentication", TOKENS, "t"),
     service_policy('{from: [{source: {requestPrincipals: ["me/*"]}}]}')], WEB, API, {"claims": {"iss": "me", "sub": "you"}}, "allowed",
     "http"),
    ("a waypoint that network policies shut", [shop(), gateway(), NETWORK.format(WP_LABEL, "app: other", 15008)], WEB, API, {}, "denied",
     "timeout"),
    ("a server that does not admit the waypoint", [shop(), gateway(), NETWORK.format("app: api", "app: web", 15008)], WEB, API, {},
     "denied", "503"),
    ("a server that admits it", [shop(), gateway(), NETWORK.format("app: api", WP_LABEL, 15008)], WEB, API, {}, "allowed", "http"),
    ("calls to the outside", [shop(), gateway(), ENTRY, BANK], WEB, {"url": "http://bank.example.com/"}, {"method": "POST"}, "denied",
     "403"),
    ("calls to the outside that are admitted", [shop(), gateway(), ENTRY, BANK], WEB, {"url": "http://bank.example.com/"}, {}, "unknown",
     "http"),
    ("another controller's waypoint", [shop(), gateway().replace("istio-waypoint", "other"), OTHER_CLASS],
     WEB, API, {}, "unknown", "http"),
    ("a canary", [shop(USES + ", istio.io/use-waypoint-canary: wp2"), gateway()], WEB, API, {}, "unknown", "http"),
    ("istiod adds a policy for the waypoint", [shop(), gateway(), at_pod("web"), istiod("PILOT_AUTO_ALLOW_WAYPOINT_POLICY")], WEB, API, {},
     "unknown", "http"),
    ("and for no pod without one", [shop(""), gateway(), at_pod("web"), istiod("PILOT_AUTO_ALLOW_WAYPOINT_POLICY")], WEB, API, {},
     "allowed", "http"),
    ("waypoints read policies of pods", [shop(), gateway(), istiod("ENABLE_LAYERED_WAYPOINT_AUTHORIZATION_POLICIES")], WEB, API, {},
     "unknown", "http"),
    ("plaintext goes past it", [shop(), gateway(), ANY_DENY], {**WEB, "plaintext": True}, API, {}, "allowed", "http"),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "who", "to", "more", "verdict", "symptom"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_verdict_and_symptom(documents: list[str], who: Json, to: Json, more: Json, verdict: str, symptom: str) -> None:
    """The verdict that the data plane gives, and what the caller sees."""
    got = trace(documents, who, to, **more)
    seen = got["symptom"]
    assert (got["verdict"], str(seen["status"] or seen["kind"])) == (verdict, symptom), (got["hops"], got["missing"])


def trace(documents: list[str], who: Json, to: Json, **more: Any) -> Json:
    """The trace of one question."""
    world = {
        "id": "w",
        "closed_world": True,
        "manifests": "---\n".join(documents),
        "questions": [{"id": "q", "from": who, "to": to, **more}],
    }
    return ask([world], brief=False)["w", "q"]


def test_an_unknown_waypoint_in_an_open_world() -> None:
    """Where the Gateway may lie elsewhere, nobody knows what is on the way."""
    world = {"id": "w", "manifests": shop(), "questions": [{"id": "q", "from": WEB, "to": API}]}
    got = ask([world])["w", "q"]
    assert got["verdict"] == "unknown"
    assert "waypoint `shop/wp`" in got["missing"][0]["fact"]


def test_hops_and_identities() -> None:
    """Two hops: the waypoint sees the caller, ztunnel behind it sees the waypoint."""
    first, second = trace([shop(), gateway(), service_policy(GET_BY_WEB)], WEB, API)["hops"]
    assert (first["from"], first["to"], second["to"]) == ("shop/web", "waypoint shop/wp", "shop/api")
    enforcers = [[s["enforcer"] for s in hop["stations"]] for hop in (first, second)]
    assert set(enforcers[0]) == {"waypoint"}
    assert enforcers[1][-2:] == ["ztunnel", "ztunnel"]
    said = [s["summary"] for hop in (first, second) for s in hop["stations"] if s["station"] == "mtls"]
    assert "sa/web" in said[0]
    assert "sa/wp" in said[1]


def test_the_policy_of_a_refusal_has_envoys_name() -> None:
    """A refusal of a waypoint is Envoy's: its name of the rule stands in access logs."""
    decided = trace([shop(), gateway(), ANY_DENY], WEB, API)["decided_by"]
    assert (decided["enforcer"], decided["policy_id"]) == ("waypoint", "ns[shop]-policy[l7]-rule[0]")


def test_the_cause_names_the_waypoint() -> None:
    """Why a rule for the caller does not match at ztunnel is said."""
    assert "sees the waypoint as the caller" in trace([shop(), gateway(), at_pod("web")], WEB, API)["causes"][0]["message"]
