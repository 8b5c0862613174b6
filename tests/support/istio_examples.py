"""Worked examples of what Istio's data plane does, as a table: configuration, call, what the caller sees.

Numbers are those of the description of Istio's semantics that meshcheck follows; a letter tells calls of one example
apart. The world of every row: `web` in namespace a (label app=web, account web, Service port 80 to 8080), `cli` in b with
a sidecar, `bare` in b without one, mesh defaults. Policies are called `p`, and live in a, unless a row says otherwise.

Where Istio's own code and Envoy answer otherwise than the description, the row follows the programs and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from tests.oracle.tokens import Jwt

Json = dict[str, Any]

ISSUER, OTHER = "https://idp.example", "https://idp.example/"
FAR, PAST = 4102444800, 1500000000

# Examples without a row, and why.
LEFT_OUT = {
    **dict.fromkeys((7, 13, 14, 24, 41, 42, 43, 52, 82, 83, 87, 117), "enters through a gateway: tests/unit/semantics/entry"),
    **dict.fromkeys((99, 101), "depends on what an authorizer answers"),
    112: "the description itself is not sure",
    114: "a probe is rewritten to the agent's port, and is no call to the workload",
}


@dataclass(frozen=True)
class Row:
    """One call, and what may be seen; `real` says whether the oracle can be asked (it runs only the workload's side)."""

    id: str
    docs: list[Json]
    question: Json
    wants: tuple[Json, ...]
    mesh: Json = field(default_factory=dict)
    ports: list[Json] = field(default_factory=list)
    real: bool = True

    def world(self) -> Json:
        """The row in the form of a batch."""
        text = yaml.safe_dump_all([*fixtures(self.ports), *self.docs], sort_keys=False)
        mesh = {"mesh_config": yaml.safe_dump(self.mesh)} if self.mesh else {}
        return {"id": self.id, "closed_world": True, "manifests": text, **mesh, "questions": [self.question]}


# ---- the world ----------------------------------------------------------------------------------------------------------


def _object(kind: str, name: str, namespace: str | None = None, api: str = "v1", **rest: Any) -> Json:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **({"namespace": namespace} if namespace else {})}, **rest}


def namespace(name: str, injected: bool = True) -> Json:
    """A namespace, its pods with sidecars."""
    out = _object("Namespace", name)
    if injected:
        out["metadata"]["labels"] = {"istio-injection": "enabled"}
    return out


def deployment(
    name: str, where: str, account: str, labels: Json | None = None, annotations: Json | None = None, sidecar: bool = True
) -> Json:
    """A workload."""
    labels = labels or {"app": name}
    meta = {
        "labels": {**labels, **({} if sidecar else {"sidecar.istio.io/inject": "false"})},
        **({"annotations": annotations} if annotations else {}),
    }
    containers = [{"name": "app", "image": "example/app", "ports": [{"containerPort": 8080}, {"containerPort": 9090}]}]
    template = {"metadata": meta, "spec": {"serviceAccountName": account, "containers": containers}}
    return _object("Deployment", name, where, "apps/v1", spec={"selector": {"matchLabels": labels}, "template": template})


def service(ports: list[Json], **spec: Any) -> Json:
    """The Service `web`."""
    return _object("Service", "web", "a", spec={"selector": {"app": "web"}, "ports": ports, **spec})


def fixtures(ports: list[Json]) -> list[Json]:
    """What stands in every world."""
    web = service(ports or [port("http")], clusterIP="10.96.0.10")
    docs = [namespace("istio-system", injected=False), namespace("a"), namespace("b"), deployment("web", "a", "web"), web]
    return [*docs, deployment("cli", "b", "cli"), deployment("bare", "b", "bare", sidecar=False)]


def port(name: str, number: int = 80, target: int = 8080) -> Json:
    """A port of a Service."""
    return {"name": name, "port": number, "targetPort": target}


def ap(spec: str, name: str = "p", where: str = "a", **annotations: str) -> Json:
    """An AuthorizationPolicy out of its spec's YAML."""
    out = _object("AuthorizationPolicy", name, where, "security.istio.io/v1", spec=yaml.safe_load(spec))
    if annotations:
        out["metadata"]["annotations"] = {f"istio.io/{k.replace('_', '-')}": v for k, v in annotations.items()}
    return out


def ra(rule: str = "{}", issuer: str = ISSUER, name: str = "ra") -> Json:
    """A RequestAuthentication for one issuer, with more of its rule as YAML."""
    made = {"issuer": issuer, "jwks": keys().jwks(issuer), **yaml.safe_load(rule)}
    if "jwksUri" in made:
        del made["jwks"]
    return _object("RequestAuthentication", name, "a", "security.istio.io/v1", spec={"jwtRules": [made]})


def pa(spec: str, name: str = "default", where: str = "a", created: str = "2026-01-01T00:00:00Z") -> Json:
    """A PeerAuthentication."""
    out = _object("PeerAuthentication", name, where, "security.istio.io/v1", spec=yaml.safe_load(spec))
    out["metadata"]["creationTimestamp"] = created
    return out


def networking(kind: str, spec: str, name: str = "net", where: str = "b") -> Json:
    """An object of networking.istio.io."""
    return _object(kind, name, where, "networking.istio.io/v1", spec=yaml.safe_load(spec))


@cache
def keys() -> Jwt:
    """The issuers' keys."""
    return Jwt([ISSUER, OTHER, "A", "B"])


def token(issuer: str = ISSUER, signer: str | None = None, **claims: Any) -> str:
    """The token T, with other claims over its own; a claim that is None is left out."""
    known = {"iss": issuer, "sub": "u1", "aud": ["web"], "exp": FAR, "role": ["ops"], "lvl": 3, "scope": "read write", "a": {"b": "x"}}
    return keys().sign({k: v for k, v in {**known, **claims}.items() if v is not None}, signer or issuer)


def bearer(value: str) -> Json:
    """The header that carries a token."""
    return {"authorization": [f"Bearer {value}"]}


# ---- calls and answers --------------------------------------------------------------------------------------------------


def call(who: str = "cli", path: str = "/", method: str = "GET", at: str = "http://web.a", **rest: Any) -> Json:
    """A call from a workload of namespace b, or of another as `namespace/name`."""
    where, _, name = who.rpartition("/")
    return {"id": "q", "from": {"namespace": where or "b", "workload": name}, "to": {"url": at + path}, "method": method, **rest}


OK: Json = {"verdict": "allowed"}
RESET: Json = {"verdict": "denied", "symptom": {"kind": "reset"}}
TLS: Json = {"verdict": "denied", "symptom": {"kind": "tls"}}


def status(code: int) -> Json:
    """A proxy answers with this status."""
    return {"verdict": "denied", "symptom": {"kind": "http", "status": code}}


def denied(policy: str) -> Json:
    """403 of a rule; a bare number is a rule of `p`."""
    return {**status(403), "policy_id": _name(policy)}


def closed(policy: str) -> Json:
    """The proxy closes the connection because of a rule."""
    return {**RESET, "policy_id": _name(policy)}


def _name(policy: str) -> str:
    return f"ns[a]-policy[p]-rule[{policy}]" if policy.isdigit() else policy


NONE = denied("none")


def rows() -> Iterator[Row]:
    """All rows, in order."""
    yield from _presence_and_logic()
    yield from _peer_identity()
    yield from _operations()
    yield from _tokens()
    yield from _tcp_and_custom()
    yield from _mtls()
    yield from _egress()


def _each(number: int, docs: list[Json], *answers: tuple[Json, Json], **rest: Any) -> Iterator[Row]:
    for n, (question, want) in enumerate(answers):
        yield Row(f"{number}{'abcdef'[n] if len(answers) > 1 else ''}", docs, question, (want,), **rest)


# ---- 13.1 policy presence and logic -------------------------------------------------------------------------------------


def _presence_and_logic() -> Iterator[Row]:
    yield from _each(1, [ap("{}")], (call(), NONE))
    yield from _each(2, [ap("{rules: [{}]}")], (call("bare"), OK))
    yield from _each(3, [ap("{action: DENY, rules: [{}]}")], (call(), denied("0")))
    yield from _each(4, [ap("{action: DENY}")], (call(), OK))  # refused by the webhook, and without effect anyway
    yield from _each(5, [ap("{selector: {matchLabels: {app: other}}}")], (call(), OK))
    both = [
        ap("{rules: [{to: [{operation: {methods: [GET]}}]}]}"),
        ap("{rules: [{to: [{operation: {methods: [POST]}}]}]}", "q", "istio-system"),
    ]
    yield from _each(6, both, (call(method="POST"), OK), (call(method="DELETE"), NONE))
    admin = [ap('{action: DENY, rules: [{to: [{operation: {paths: ["/admin*"]}}]}]}'), ap("{rules: [{}]}", "q")]
    yield from _each(8, admin, (call(path="/administrator"), denied("0")))
    yield from _each(9, [ap("{}", dry_run="true")], (call(), OK))
    yield from _each(10, [ap("{action: CUSTOM, provider: {name: x}, rules: [{}]}", dry_run="false")], (call(), OK))  # refused
    yield from _each(11, [ap("{action: AUDIT, rules: [{}]}")], (call(), OK))
    yield from _each(12, [ap('{targetRefs: [{kind: Service, group: "", name: web}]}')], (call(), OK))
    yield from _each(15, [ap("{selector: {matchLabels: {svc: web}}}")], (call(), OK))
    yield from _each(16, [ap('{rules: [{from: [{source: {namespaces: [b], principals: ["cluster.local/ns/c/sa/x"]}}]}]}')], (call(), NONE))
    either = ap('{rules: [{from: [{source: {namespaces: [b]}}, {source: {principals: ["cluster.local/ns/c/sa/x"]}}]}]}')
    yield from _each(17, [either], (call(), OK))
    two = ap("{rules: [{from: [{source: {namespaces: [b]}}]}, {to: [{operation: {methods: [GET]}}]}]}")
    yield from _each(18, [two], (call("bare"), OK), (call(method="DELETE"), OK), (call("bare", method="POST"), NONE))
    internal = ap('{rules: [{to: [{operation: {paths: ["/*"], notPaths: ["/internal"]}}]}]}')
    yield from _each(19, [internal], (call(path="/internal"), NONE), (call(path="/internal/x"), OK))
    prod = ap('{rules: [{when: [{key: "request.headers[x-env]", values: ["prod*"], notValues: ["prod-eu"]}]}]}')
    eu, us = call(headers={"x-env": ["prod-eu"]}), call(headers={"x-env": ["prod-us"]})
    yield from _each(20, [prod], (eu, NONE), (us, OK), (call(), NONE))
    twice = ap('{rules: [{when: [{key: "request.headers[x-g]", values: [a]}, {key: "request.headers[x-g]", values: [b]}]}]}')
    yield from _each(21, [twice], (call(headers={"x-g": ["a"]}), NONE))
    yield from _each(22, [ap('{rules: [{when: [{key: "request.headers[x-g]", notValues: ["bad"]}]}]}')], (call(), OK))
    only_cli = ap('{action: DENY, rules: [{from: [{source: {notPrincipals: ["cluster.local/ns/b/sa/cli"]}}]}]}')
    yield from _each(23, [only_cli], (call(), OK), (call("bare"), denied("0")))
    yield from _each(25, [ap("{rules: [{from: [{source: {}}]}]}")], (call(), OK))  # refused
    never, always = "{to: [{operation: {methods: [PUT]}}]}", "{to: [{operation: {methods: [GET]}}]}"
    rules = ", ".join(always if n in (2, 10) else never for n in range(11))
    yield from _each(26, [ap(f"{{action: DENY, rules: [{rules}]}}")], (call(), denied("10")))  # Envoy sorts names as text


# ---- 13.2 peer identity -------------------------------------------------------------------------------------------------


def _source(fields: str, where: str = "a") -> list[Json]:
    return [ap(f"{{rules: [{{from: [{{source: {{{fields}}}}}]}}]}}", where=where)]


def _peer_identity() -> Iterator[Row]:
    cli = "cluster.local/ns/b/sa/cli"
    yield from _each(27, _source(f'principals: ["{cli}"]'), (call(), OK))
    yield from _each(28, _source(f'principals: ["spiffe://{cli}"]'), (call(), NONE))
    yield from _each(29, _source('principals: ["cluster.local/ns/*/sa/cli"]'), (call(), NONE))
    yield from _each(30, _source('principals: ["*/sa/cli"]'), (call(), OK))
    yield from _each(31, _source('principals: ["*/ns/b/*"]'), (call(), NONE))
    yield from _each(32, _source('principals: ["*"]'), (call("bare"), NONE), (call(), OK))
    acme = {"trustDomain": "acme.io"}
    yield from _each(33, _source(f'principals: ["{cli}"]'), (call(), OK), mesh=acme)
    yield from _each(34, _source('principals: ["cluster.local/ns/b/*"]'), (call(), NONE), mesh=acme)
    yield from _each(35, _source('principals: ["old.td/ns/b/sa/cli"]'), (call(), OK), mesh={"trustDomainAliases": ["old.td"]})
    yield from _each(36, _source('serviceAccounts: ["cli"]'), (call(), NONE))
    yield from _each(37, _source('serviceAccounts: ["b/cli"]'), (call(), OK))
    mate = [*_source('serviceAccounts: ["web"]', "istio-system"), deployment("mate", "a", "web")]
    yield from _each(38, mate, (call("a/mate"), NONE))
    team = [*_source('namespaces: ["team-*-prod"]'), namespace("team-x-prod"), deployment("app", "team-x-prod", "app")]
    yield from _each(39, team, (call("team-x-prod/app"), OK))
    yield from _each(40, _source('namespaces: ["B"]'), (call(), NONE))
    pod = deployment("web", "a", "web")["spec"]["template"]
    running = _object("Pod", "web-0", "a", spec=pod["spec"], status={"podIP": "10.0.0.5", "phase": "Running"})
    running["metadata"]["labels"] = pod["metadata"]["labels"]
    straight = call(at="http://10.0.0.5:8080")
    yield from _each(44, [*_source('namespaces: ["b"]'), running], (straight, NONE), real=False)
    strict = [*_source('namespaces: ["b"]'), running, pa("{mtls: {mode: STRICT}}")]
    yield Row("44b", strict, straight, (RESET, status(503)), real=False)
    yield from _each(45, _source('trustDomains: ["cluster.local"]'), (call(), OK), (call("bare"), NONE))


# ---- 13.3 to.operation --------------------------------------------------------------------------------------------------


def _operation(fields: str, action: str = "ALLOW") -> list[Json]:
    return [ap(f"{{action: {action}, rules: [{{to: [{{operation: {{{fields}}}}}]}}]}}")]


def _operations() -> Iterator[Row]:
    def paths(*answers: tuple[str, Json]) -> tuple[tuple[Json, Json], ...]:
        return tuple((call(path=path), want) for path, want in answers)

    def hosts(*answers: tuple[str, Json]) -> tuple[tuple[Json, Json], ...]:
        return tuple((call("bare", host=host), want) for host, want in answers)

    yield from _each(46, _operation("methods: [get]"), (call(), NONE))
    yield from _each(47, _operation("hosts: [shop.example]"), *hosts(("SHOP.example", OK), ("shop.example:8443", NONE)))
    yield from _each(48, _operation('hosts: [shop.example, "shop.example:*"]'), *hosts(("shop.example:8443", OK)))
    yield from _each(49, _operation('hosts: ["*.example"]'), *hosts(("example", NONE), ("a.b.example", OK), ("x.example:443", NONE)))
    yield from _each(50, _operation("hosts: [web.a.svc.cluster.local]"), (call(), NONE))
    yield from _each(51, _operation('ports: ["80"]'), (call(), NONE))
    yield from _each(53, _operation('paths: ["/api/*"]'), *paths(("/api", NONE), ("/api/", OK), ("/api/x?y=1", OK)))
    yield from _each(54, _operation('paths: ["/api*"]'), *paths(("/apiv2", OK)))
    yield from _each(55, _operation('paths: ["/a/*/c"]'), *paths(("/a/b/c", NONE)))
    yield from _each(56, _operation('paths: ["/a"]'), *paths(("/a?x=1", OK), ("/a/", NONE), ("/A", NONE)))
    yield from _each(57, _operation('paths: ["/public"]'), *paths(("/x/../public", OK), ("//public", NONE)))
    private = _operation('paths: ["/private"]', "DENY")
    yield from _each(58, private, *paths(("/%70rivate", denied("0")), ("/x%2F..%2Fprivate", OK)))
    # The description says that a template's star accepts neither `=` nor `*`. Envoy 1.40 accepts both.
    one = _operation('paths: ["/v1/{*}"]')
    yield from _each(
        59, one, *paths(("/v1/a", OK), ("/v1/a=b", OK), ("/v1/a%20b", OK), ("/v1/a/", NONE), ("/v1/a*b", OK), ("/v1/a[b", NONE))
    )
    yield from _each(60, _operation('paths: ["/v1/{**}"]'), *paths(("/v1", NONE), ("/v1/", OK), ("/v1/a/b?q=x=y", OK)))
    yield from _each(61, _operation('paths: ["/store/{**}/cart"]'), *paths(("/store/cart", NONE), ("/store//cart", OK)))
    yield from _each(62, _operation('paths: ["/v1/*/{*}"]'), (call(path="/x"), OK))  # refused
    yield Row("62b", _operation('paths: ["/v{*}"]'), call(path="/x"), (OK,))  # refused
    yield from _each(63, _operation("methods: [GET]"), (call(method="HEAD"), NONE))


# ---- 13.4 JWT attributes and RequestAuthentication ----------------------------------------------------------------------


def _principals(values: str, action: str = "ALLOW", field_name: str = "requestPrincipals") -> Json:
    return ap(f"{{action: {action}, rules: [{{from: [{{source: {{{field_name}: [{values}]}}}}]}}]}}")


def _when(key: str, values: str, field_name: str = "values") -> Json:
    return ap(f'{{rules: [{{when: [{{key: "{key}", {field_name}: [{values}]}}]}}]}}')


def _tokens() -> Iterator[Row]:
    good, none = call(headers=bearer(token())), call()
    yield from _each(64, [ra()], (none, OK))
    yield from _each(65, [ra()], (call(headers=bearer(token(exp=PAST))), status(401)))
    yield from _each(66, [ra()], (call(headers=bearer(token("A"))), status(401)))
    yield from _each(67, [ra()], (call(headers={"authorization": ["Basic x"]}), OK))
    yield from _each(68, [ra("{audiences: [shop]}")], (good, status(403)))
    yield from _each(69, [ra('{audiences: ["https://web/"]}')], (call(headers=bearer(token(aud="web"))), OK))
    elsewhere = ra("{fromHeaders: [{name: x-jwt}]}")
    yield from _each(70, [elsewhere], (good, OK))
    yield Row("70b", [elsewhere, _principals('"*"')], good, (NONE,))
    yield from _each(71, [ra(), _principals('"https://idp.example/u1"')], (good, OK), (none, NONE))
    yield from _each(72, [ra(), _principals('"*"')], (call(headers=bearer(token(sub=None))), NONE))
    yield from _each(73, [ra(), _principals('"*/*"')], (good, NONE))
    yield from _each(74, [ra(), _principals('"https://idp.example*"')], (good, NONE))
    slash = call(headers=bearer(token(OTHER)))
    yield from _each(75, [ra(issuer=OTHER), _principals('"https://idp.example/*"')], (slash, NONE))
    yield Row("75b", [ra(issuer=OTHER), _principals('"https://idp.example//*"')], slash, (OK,))
    demand = [ra(), _principals('"*"', "DENY", "notRequestPrincipals")]
    yield from _each(76, demand, (none, denied("0")), (good, OK))
    preflight = {"origin": ["https://app.example"], "access-control-request-method": ["GET"]}
    yield from _each(77, demand, (call(method="OPTIONS", headers=preflight), denied("0")))
    yield from _each(78, [ra(), _when("request.auth.claims[role]", "ops")], (good, OK))
    yield Row("78b", [ra(), _when("request.auth.claims[lvl]", '"3"')], good, (NONE,))
    yield Row("78c", [ra(), _when("request.auth.claims[lvl]", '"*"')], good, (NONE,))
    yield from _each(79, [ra(), _when("request.auth.claims[scope]", "read")], (good, OK))
    yield Row("79b", [ra(), _when("request.auth.claims[scope]", '"read write"')], good, (NONE,))
    yield from _each(80, [ra(), _when("request.auth.claims[a][b]", "x")], (good, OK))
    yield Row("80b", [ra(), _when("request.auth.claims[a.b]", "x")], good, (NONE,))
    yield from _each(81, [ra(), _when("request.headers[authorization]", '"Bearer *"')], (good, NONE))
    yield from _each(84, [ra("{jwksUri: https://unreachable.example/}")], (none, OK))  # with a token: depends on what istiod can reach
    two = [ra(issuer="A", name="ra-a"), ra(issuer="B", name="ra-b"), _principals('"B/u1"')]
    yield from _each(85, two, (call(headers=bearer(token("B"))), OK))
    mixed = [ra(issuer="A", name="ra-a"), ra("{fromHeaders: [{name: x-b}]}", "B", "ra-b"), _principals('"A/u1"')]
    yield from _each(86, mixed, (call(headers={**bearer(token("A")), "x-b": [token("B", exp=PAST)]}), OK))
    yield from _each(88, [ra(), _when("request.auth.claims[x]", "bad", "notValues")], (none, OK))


# ---- 13.5 TCP chains and CUSTOM -----------------------------------------------------------------------------------------


def _provider(name: str, port_number: int = 8000, fail_open: bool = False) -> Json:
    return {"name": name, "envoyExtAuthzHttp": {"service": "authz.a.svc.cluster.local", "port": port_number, "failOpen": fail_open}}


def _custom(provider: str, path: str, name: str = "p") -> Json:
    return ap(f'{{action: CUSTOM, provider: {{name: {provider}}}, rules: [{{to: [{{operation: {{paths: ["{path}"]}}}}]}}]}}', name)


def _bad(provider: str, policy: str = "p") -> Json:
    return denied(f"istio-ext-authz-{provider}-ns[a]-policy[{policy}]-rule[0]-deny-due-to-bad-CUSTOM-action")


def _tcp_and_custom() -> Iterator[Row]:
    tcp = {"ports": [port("tcp-web"), port("tcp-more", 9090, 9090)]}
    # The description promises 503 behind a caller's sidecar; its sidecar, too, reads this port as TCP, so the connection is closed.
    yield from _each(89, _operation("methods: [GET]"), (call("bare"), closed("none")), (call(), closed("none")), **tcp)
    yield from _each(90, _operation('paths: ["/admin"]', "DENY"), (call(), closed("0")), **tcp)
    admin = _operation('ports: ["8080"], paths: ["/admin"]', "DENY")
    yield from _each(91, admin, (call(), closed("0")), (call(at="http://web.a:9090"), OK), **tcp)
    mixed = ap("{rules: [{from: [{source: {namespaces: [b]}}], to: [{operation: {methods: [GET]}}]}]}")
    yield from _each(92, [mixed], (call(), closed("none")), **tcp)
    sniffed = {"ports": [port("web")]}
    yield from _each(93, _operation("methods: [GET]"), (call(), OK), **sniffed)
    raw = {"id": "q", "from": {"namespace": "b", "workload": "cli"}, "to": {"url": "tcp://web.a:80"}}
    yield from _each(94, _operation("methods: [GET]"), (raw, closed("none")), **sniffed)
    secure = {"ports": [port("https", 443)], "real": False}
    yield from _each(95, _operation("hosts: [web.a]"), (call(at="https://web.a"), closed("none")), **secure)
    yield from _each(96, [_custom("nope", "/p")], (call(path="/p"), _bad("nope")), (call(path="/q"), OK))
    authz = [
        _object("Service", "authz", "a", spec={"selector": {"app": "authz"}, "ports": [port("http", 8000, 8000)]}),
        deployment("authz", "a", "authz"),
    ]
    upper = {"extensionProviders": [_provider("Ext_Authz")]}
    yield from _each(97, [*authz, _custom("Ext_Authz", "/p")], (call(path="/p"), _bad("Ext_Authz")), mesh=upper)
    two = [*authz, _custom("one", "/1"), _custom("two", "/2", "q")]
    pair = {"extensionProviders": [_provider("one"), _provider("two")]}
    yield from _each(98, two, (call(path="/1"), _bad("one")), (call(path="/2"), _bad("two", "q")), mesh=pair)
    for letter, fail_open, want in (("a", False, status(403)), ("b", True, OK)):
        wrong = {"extensionProviders": [_provider("one", 8999, fail_open)]}
        yield Row(f"100{letter}", [*authz, _custom("one", "/p")], call(path="/p"), (want,), mesh=wrong, real=False)
    refused = ap('{action: CUSTOM, provider: {name: nope}, rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]}')
    yield from _each(102, [refused], (call(), OK))
    yield from _each(103, [*authz, _custom("one", "/p")], (call(), OK), mesh={"extensionProviders": [_provider("one")]}, **tcp)


# ---- 13.6 mTLS and interception -----------------------------------------------------------------------------------------


def _rule(policy: str) -> Json:
    return networking("DestinationRule", f"{{host: web.a.svc.cluster.local, {policy}}}")


def _mtls() -> Iterator[Row]:
    strict, off = pa("{mtls: {mode: STRICT}}"), pa("{mtls: {mode: DISABLE}}")
    yield from _each(104, [strict], (call("bare"), RESET))
    plain = _rule("trafficPolicy: {tls: {mode: DISABLE}}")
    yield from _each(105, [strict, plain], (call(), status(503)), real=False)
    mutual = _rule("trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}")
    yield from _each(106, [off, mutual], (call(), status(503)), real=False)
    yield from _each(107, [pa("{selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}}", where="istio-system")], (call("bare"), OK))
    older = pa("{selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}}", "older")
    newer_spec = "{selector: {matchLabels: {app: web}}, mtls: {mode: PERMISSIVE}, portLevelMtls: {8080: {mode: DISABLE}}}"
    newer = pa(newer_spec, "newer", created="2026-02-01T00:00:00Z")
    yield from _each(108, [newer, older], (call("bare"), RESET))
    by_service_port = pa("{selector: {matchLabels: {app: web}}, portLevelMtls: {80: {mode: DISABLE}}}", "port")
    yield from _each(109, [strict, by_service_port], (call("bare"), RESET))
    by_port = [strict, pa("{selector: {matchLabels: {app: web}}, portLevelMtls: {8080: {mode: DISABLE}}}", "port")]
    yield from _each(110, by_port, (call("bare"), OK), (call(), OK), real=False)
    yield Row("110c", [*by_port, *_source('principals: ["*"]')], call(), (NONE,), real=False)
    workload = pa("{selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}}", "web")
    yield from _each(111, [off, workload], (call(), status(503)), real=False)
    excluded = deployment("web", "a", "web", annotations={"traffic.sidecar.istio.io/excludeInboundPorts": "8080"})
    yield from _each(113, [ap("{}"), excluded], (call("bare"), OK), (call(), status(503)), real=False)
    yield Row("115", [], call("bare", at="https://web.a:80"), (RESET, TLS), real=False)
    headless = [service([port("http")], clusterIP="None"), deployment("web-bare", "a", "web", {"app": "web"}, sidecar=False)]
    # The description says 403; that is what the pod with a sidecar answers, and the one without lets the call through.
    yield from _each(116, [*headless, *_source('principals: ["*"]')], (call(), {"verdict": "unknown"}), real=False)


# ---- 13.7 egress and the client's side ----------------------------------------------------------------------------------


def _route(http: str) -> Json:
    return networking("VirtualService", f"{{hosts: [web.a.svc.cluster.local], http: [{http}]}}", where="a")


def _egress() -> Iterator[Row]:
    only = {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}
    outside, secure = call(at="http://ext.example"), call(at="https://ext.example")
    yield from _each(118, [], (outside, status(502)), mesh=only, real=False)
    yield Row("119", [], secure, (RESET, TLS), mesh=only, real=False)
    yield from _each(120, [networking("Sidecar", "{outboundTrafficPolicy: {}}")], (outside, status(502)), real=False)
    narrow = [networking("Sidecar", '{egress: [{hosts: ["./*"]}]}'), pa("{mtls: {mode: STRICT}}")]
    yield Row("121", narrow, call(), (RESET, status(503)), real=False)
    yield from _each(122, [pa("{mtls: {mode: STRICT}}")], (call(host="shop.example"), status(503)), real=False)
    entry = (
        "{hosts: [ext.example], location: MESH_EXTERNAL, resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}], exportTo: [.]}"
    )
    hidden = [namespace("c"), networking("ServiceEntry", entry, where="c")]
    yield from _each(123, hidden, (outside, status(502)), mesh=only, real=False)
    to_v2 = _route("{route: [{destination: {host: web.a.svc.cluster.local, subset: v2}}]}")
    yield from _each(124, [to_v2], (call(), status(503)), real=False)
    yield from _each(125, [to_v2, _rule("subsets: [{name: v2, labels: {version: v2}}]")], (call(), status(503)), real=False)
    back = "route: [{destination: {host: web.a.svc.cluster.local}}]"
    only_get = _route(f"{{match: [{{method: {{exact: GET}}}}], {back}}}")
    yield from _each(126, [only_get], (call(method="POST"), status(404)), real=False)
    labelled = _route(
        f"{{match: [{{sourceLabels: {{app: x}}}}], {back}, fault: {{abort: {{httpStatus: 500, percentage: {{value: 100}}}}}}}}"
    )
    yield from _each(127, [labelled], (call(), OK), real=False)
