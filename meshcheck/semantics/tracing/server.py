"""The stations at the called workload: mTLS, tokens, authorization, in the order of its sidecar's filters.

Source: istio/istio:pilot/pkg/networking/core/listener_inbound.go, filterchain_options.go, listener_builder.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from meshcheck.model.core import ServicePort, Workload
from meshcheck.model.istio_networking import Extension
from meshcheck.model.record import record, replace
from meshcheck.model.trace import ALLOWED, DENIED, NOT_APPLICABLE, UNKNOWN, Mention, Station, Symptom
from meshcheck.semantics import http_methods, port_protocol, request_path, watching
from meshcheck.semantics.authentication import peer
from meshcheck.semantics.authorization import evaluate, explanation
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.evaluate import Decision
from meshcheck.semantics.authorization.policies import CompiledPolicies
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.proxies import OfWorkload, Proxy
from meshcheck.semantics.world.control_plane import ANY_TRUST_DOMAIN, switched
from meshcheck.semantics.world.revisions import view_of
from meshcheck.semantics.world.world import World

APPLICATION_TLS = "whether the application of {} speaks TLS on port {}"
_READ_BY_HTTP = frozenset(["method", "path", "authority", "headers", "payload"])


@record
class Arrival:
    """A call as it arrives at the workload's sidecar."""

    transport: str
    """`plaintext`, `mtls` (mesh certificates and Istio's ALPN), `hbone` (mesh certificates around anything) or `tls` (else encrypted)."""
    principal: str | None
    http: bool
    """The caller speaks HTTP (or gRPC) without TLS of its own."""
    encrypted: bool
    """The caller's bytes are TLS of the application's own."""
    tagged: bool
    """Over mTLS: the caller's sidecar recognised HTTP and said so in ALPN."""
    method: str
    target: str
    """Path and query as sent."""
    authority: str
    headers: Mapping[str, Sequence[str]]
    source_ip: str
    remote_ip: str
    destination_ip: str
    sni: str
    claims: Mapping[str, Any] | None
    unknown: frozenset[str]
    now: float


def service_port_of(world: World, workload: Workload, port: int) -> ServicePort | None:
    """The Service port that gives a workload port its protocol: that of the oldest Service that maps to it."""

    def find() -> ServicePort | None:
        for service in world.services_of(workload):
            for candidate in service.ports:
                if candidate.protocol == "TCP" and target_number(candidate, workload) == port:
                    return candidate
        return None

    return world.once(("service port", id(workload), port), find)


def target_number(port: ServicePort, workload: Workload) -> int | None:
    """The number of the container port that a Service port leads to; None for a name that the workload has not."""
    if isinstance(port.target, int):
        return port.target
    return next((p.number for p in workload.ports if p.name == port.target and p.protocol == port.protocol), None)


def bypasses_sidecar(workload: Workload, port: int) -> bool:
    """Whether a port is kept away from the sidecar."""
    if port in (15090, 15021, 15020):
        return True
    notes = workload.pod_annotations
    excluded = notes.get("traffic.sidecar.istio.io/excludeInboundPorts", "")
    included = notes.get("traffic.sidecar.istio.io/includeInboundPorts", "*")
    if str(port) in [item.strip() for item in excluded.split(",")]:
        return True
    return included.strip() != "*" and str(port) not in [item.strip() for item in included.split(",")]


def serve(world: World, workload: Workload, port: int, arrival: Arrival, explain: bool) -> list[Station]:
    """The stations of the workload's sidecar, up to the one that refuses."""
    mode = peer_mode(world, workload, port)
    stations = [_mutual_tls(view_of(world, workload), workload, port, mode, arrival)]
    if stations[0].verdict == DENIED:
        return stations
    return [*stations, *filters(world, workload, port, arrival, is_http_chain(world, workload, port, arrival), explain)[0]]


def plain(world: World, port: int, arrival: Arrival, http: bool) -> tuple[list[Station], Attributes]:
    """A proxy without filters of Istio: only a path that no proxy accepts is refused."""
    attributes, early = _attributes(world, port, arrival, http)
    return [early] if early is not None else [], attributes


def filters(
    world: World, workload: Workload, port: int, arrival: Arrival, http: bool, explain: bool, gateway: bool = False
) -> tuple[list[Station], Attributes]:
    """The filters of a sidecar or a gateway, up to the one that refuses; and the request as they leave it."""
    own = view_of(world, workload)
    stations, left = filters_of(own, OfWorkload(own, workload, gateway), port, arrival, http, explain)
    if explain and own is not world:
        from meshcheck.semantics.tracing.revisions import passed_over

        stations = [*passed_over(world, own, workload), *stations]
    return stations, left


def filters_of(world: World, proxy: Proxy, port: int, arrival: Arrival, http: bool, explain: bool) -> tuple[list[Station], Attributes]:
    """The filters of any proxy of Istio's on the server's side."""
    attributes, early = _attributes(world, port, arrival, http)
    stations = [replace(early, workload=proxy.name)] if early is not None else []
    if early is None or early.verdict != DENIED:
        policies = proxy.policies(http)
        for step in (_custom, _tokens, _audit, _deny, _allow):
            station = step(world, proxy, policies, attributes, arrival, explain)
            if station is not None:
                stations.append(station)
                if station.verdict == DENIED:
                    break
        else:
            stations += _found(proxy.name, proxy.extensions(port, http))
    return stations, attributes


def extensions(world: World, workload: Workload, listener: str, port: int | None, http: bool) -> list[Station]:
    """What EnvoyFilters and plugins may add to all this."""
    return _found(str(workload), [e for e in world.extensions(workload) if e.is_for(listener, port, http)])


def _found(name: str, found: Sequence[Extension]) -> list[Station]:
    if not found:
        return []
    names = ", ".join(str(e.meta.ref) for e in found)
    mentions = tuple(Mention(e.meta) for e in found)
    return [Station("extensions", "sidecar", UNKNOWN, names, mentions, missing=f"what {names} makes of the call", workload=name)]


def peer_mode(world: World, workload: Workload, port: int) -> peer.Mode:
    """The mTLS mode of a workload port."""
    namespace, seen = workload.namespace, view_of(world, workload)
    return seen.once(
        ("peer mode", id(workload), port),
        lambda: peer.mode_of(seen.peer_authentications(namespace), namespace, workload.pod_labels, port, seen.mesh.root_namespace),
    )


def is_http_chain(world: World, workload: Workload, port: int, arrival: Arrival) -> bool:
    """Whether the sidecar reads the call as HTTP."""
    protocol = _declared(world, workload, port)
    if protocol == port_protocol.HTTP:
        return True
    if protocol != port_protocol.DETECTED or not arrival.http:
        return False
    return arrival.tagged if arrival.transport == "mtls" else arrival.transport in ("plaintext", "hbone")


def _declared(world: World, workload: Workload, port: int) -> str:
    """The protocol that Services declare for a workload port."""
    service_port = service_port_of(world, workload, port)
    return port_protocol.DETECTED if service_port is None else port_protocol.protocol_of(service_port)


def _mutual_tls(world: World, workload: Workload, port: int, mode: peer.Mode, arrival: Arrival) -> Station:
    """What a connection meets by the mode of the port."""
    policies = (Mention(mode.policy.meta, field=mode.field),) if mode.policy else ()
    where = f"{mode.policy.meta.namespace}/{mode.policy.meta.name} {mode.mode}" if mode.policy else f"{mode.mode} by default"

    def station(
        verdict: str, summary: str, symptom: Symptom | None = None, missing: str | None = None, identity: str | None = None
    ) -> Station:
        decider = policies[0] if policies and verdict == DENIED else None
        return Station(
            "mtls",
            "sidecar",
            verdict,
            f"{where}: {summary}" if summary else where,
            policies,
            symptom=symptom,
            decider=decider,
            missing=missing,
            workload=str(workload),
            identity=identity,
        )

    if arrival.transport == "hbone":  # the tunnel ends before the chains that the mode is about
        return _identified(world, station, arrival)
    if arrival.transport == "plaintext":
        if mode.mode == "STRICT":
            return station(DENIED, "the call arrives in plaintext", symptoms.RESET)
        return station(ALLOWED, "plaintext, no identity")
    if mode.mode == "DISABLE":
        return station(DENIED, "the call arrives encrypted, and the port takes plaintext only", symptoms.RESET)
    if arrival.transport == "tls":
        if mode.mode == "STRICT":
            return station(DENIED, "TLS without a certificate of the mesh", symptoms.TLS_FAILURE)
        if _declared(world, workload, port) == port_protocol.HTTP:
            return station(DENIED, "TLS of the application on a port that is declared as HTTP: no filter chain takes it", symptoms.RESET)
        if arrival.encrypted:
            return station(ALLOWED, "TLS of the application, no identity")
        return station(UNKNOWN, "TLS that the caller's sidecar makes, no identity", missing=APPLICATION_TLS.format(workload, port))
    return _identified(world, station, arrival)


def _identified(world: World, station: Callable[..., Station], arrival: Arrival) -> Station:
    """A certificate of the mesh, of a trust domain that counts here."""
    identity = (arrival.principal or "").removeprefix("spiffe://")
    domain = identity.split("/")[0]
    if domain not in world.mesh.accepted_domains and not switched(world, ANY_TRUST_DOMAIN):
        return station(DENIED, f"the caller's trust domain `{domain}` is not this mesh's", symptoms.RESET)
    return station(ALLOWED, f"identity {identity}", identity=identity)


def _attributes(world: World, port: int, arrival: Arrival, http: bool) -> tuple[Attributes, Station | None]:
    a = Attributes()
    a.http = http
    a.principal = arrival.principal if arrival.transport in ("mtls", "hbone") else None
    a.source_ip, a.destination_ip, a.destination_port, a.sni = arrival.source_ip, arrival.destination_ip, port, arrival.sni
    a.remote_ip = arrival.remote_ip if http else arrival.source_ip
    a.unknown = arrival.unknown
    if arrival.transport == "hbone":  # the tunnel's end: Envoy's own address, which no block holds
        a.source_ip, a.unknown = "", a.unknown - {"source_ip"}
    if http and arrival.encrypted:
        return a, Station("http", "sidecar", DENIED, "TLS of the application on a port that is declared as HTTP", symptom=symptoms.RESET)
    if http and not arrival.http:
        a.unknown |= _READ_BY_HTTP
        fact = f"whether what the caller sends is HTTP: port {port} is declared as HTTP, and anything else is refused there"
        return a, Station("http", "sidecar", UNKNOWN, "bytes on a port that is read as HTTP", missing=fact)
    if http:
        refused = http_methods.refusal(arrival.method, arrival.headers)
        if refused is not None:  # no watcher is told: all requests means those that Envoy reads
            return a, Station("http", "sidecar", DENIED, refused, symptom=symptoms.BAD_REQUEST)
        path, a.query = request_path.split_target(arrival.target)
        try:
            a.path = request_path.normalise(path, world.mesh.normalization)
        except request_path.BadPath:
            why = f"the path `{path}` is not one that Envoy accepts"
            return a, Station("http", "sidecar", DENIED, why, symptom=symptoms.BAD_PATH)
        a.method, a.authority, a.headers = arrival.method, arrival.authority, arrival.headers
    return a, None


def _custom(world: World, proxy: Proxy, policies: CompiledPolicies, a: Attributes, arrival: Arrival, explain: bool) -> Station | None:
    if not policies.custom:
        return None
    from meshcheck.semantics.authorization import custom

    decision = custom.evaluate(policies, a, world)
    verdict = {True: ALLOWED, False: DENIED, None: UNKNOWN}[decision.allowed]
    return _station("custom", proxy, verdict, decision, policies, a, explain, decision.why)


def _tokens(world: World, proxy: Proxy, policies: CompiledPolicies, a: Attributes, arrival: Arrival, explain: bool) -> Station | None:
    attached = proxy.authentications()
    if not attached or not a.http:
        return None
    from meshcheck.semantics.authentication import requests

    mentions = tuple(Mention(p.meta) for p in attached)
    name = ", ".join(f"{p.meta.namespace}/{p.meta.name}" for p in attached)

    def station(
        verdict: str, summary: str, decider: Mention | None = None, symptom: Symptom | None = None, missing: str | None = None
    ) -> Station:
        return Station(
            "request-authentication",
            "sidecar",
            verdict,
            summary,
            mentions,
            symptom=symptom,
            decider=decider,
            missing=missing,
            workload=proxy.name,
        )

    providers = world.once(("providers", proxy.key), lambda: requests.providers_of(attached))
    if watching.by is not None and providers:
        watching.by.token(arrival.claims)
    if arrival.claims is not None and not requests.is_preflight(a.method, a.headers):
        outcome = requests.check_claims(providers, arrival.claims, arrival.now)
    else:
        outcome = requests.check(providers, a.method, a.query, a.headers, arrival.now)
    a.payload = outcome.payload if outcome.problem is None and outcome.provider is not None else None
    a.headers, a.query = requests.without_token(a.headers, a.query, outcome)
    a.headers = requests.with_claim_headers(a.headers, providers, outcome)
    if outcome.problem is not None and outcome.provider is not None:
        rule = outcome.provider.rule
        field = (*rule.path, "audiences") if outcome.problem == "Audiences in Jwt are not allowed" else rule.path
        decider = Mention(outcome.provider.policy.meta, field=field)
        summary = f"{outcome.provider.policy.meta.namespace}/{outcome.provider.policy.meta.name}: {outcome.problem}"
        return station(DENIED, summary, decider, symptoms.token_problem(outcome.problem))
    if outcome.missing is not None:
        return station(UNKNOWN, f"{name}: whether the token's signature is right", missing=outcome.missing)
    if outcome.payload is not None:
        return station(ALLOWED, f"{name}: token of {outcome.payload.get('iss')}/{outcome.payload.get('sub')} accepted")
    if requests.is_preflight(a.method, a.headers):
        return station(ALLOWED, f"{name}: a CORS preflight is not asked for a token")
    return station(ALLOWED, f"{name}: no token in the request, so no principal from one")


def _audit(world: World, proxy: Proxy, policies: CompiledPolicies, a: Attributes, arrival: Arrival, explain: bool) -> Station | None:
    dry = [p for p in policies.attached if p.dry_run]
    if not explain or not (policies.audit or dry):
        return None
    said = [f"{rule.name} would be logged" for rule in policies.audit if rule.holds(a)]
    for policy in dry:
        matches = any(rule.holds(a) for rule in policies.dry_run if rule.policy is policy)
        would = "deny" if matches == (policy.action == "DENY") else "allow"
        said.append(f"{policy.meta.namespace}/{policy.meta.name} ({policy.action}, dry-run) would {would} it")
    mentions = tuple(Mention(p.meta) for p in policies.attached if p.action == "AUDIT" or p.dry_run)
    words = "; ".join(said) or "no AUDIT rule matches"
    return Station("audit", "sidecar", NOT_APPLICABLE, f"{words} (the answer stays the same)", mentions, workload=proxy.name)


def _deny(world: World, proxy: Proxy, policies: CompiledPolicies, a: Attributes, arrival: Arrival, explain: bool) -> Station | None:
    if not policies.deny:
        return None
    decision = evaluate.deny(policies, a)
    verdict = {True: ALLOWED, False: DENIED, None: UNKNOWN}[decision.allowed]
    return _station("authorization", proxy, verdict, decision, policies, a, explain, "")


def _allow(world: World, proxy: Proxy, policies: CompiledPolicies, a: Attributes, arrival: Arrival, explain: bool) -> Station | None:
    if not policies.allow_policies:
        if policies.deny or not explain:
            return None
        summary = "no AuthorizationPolicy applies to the workload" if not policies.attached else "no ALLOW policy applies to the workload"
        return Station("authorization", "sidecar", ALLOWED, summary, workload=proxy.name)
    decision = evaluate.allow(policies, a)
    verdict = {True: ALLOWED, False: DENIED, None: UNKNOWN}[decision.allowed]
    return _station("authorization", proxy, verdict, decision, policies, a, explain, "")


def _station(
    name: str, proxy: Proxy, verdict: str, decision: Decision, policies: CompiledPolicies, a: Attributes, explain: bool, why: str
) -> Station:
    rule = decision.rule
    decider = Mention(rule.policy.meta, rule=rule.rule.index, field=("spec", "rules", rule.rule.index)) if rule else None
    if verdict == DENIED and decider is None and len(policies.allow_policies) == 1:
        decider = Mention(policies.allow_policies[0].meta, field=("spec", "rules"))
    symptom = None
    if verdict == DENIED:
        symptom = symptoms.FORBIDDEN if a.http else symptoms.RESET
        if decision.policy_id is None and a.http:
            symptom = Symptom("http", decision.status, "")  # the answer of ext_authz itself, without a body
    if explain:
        mentions, reasons, summary = explanation.explain(name, verdict, decision, policies, a)
    else:
        mentions, reasons, summary = (), (), ""
    return Station(
        name,
        "sidecar",
        verdict,
        why or summary,
        mentions,
        reasons,
        symptom,
        decision.policy_id if verdict == DENIED else None,
        decider,
        decision.missing,
        proxy.name,
    )
