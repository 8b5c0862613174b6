"""The stations of the called workload's ztunnel: identity, STRICT, and AuthorizationPolicies as far as ztunnel has them.

ztunnel refuses connections: the caller sees a reset, whatever it asked for. Between two ztunnels the refusal is a 401 that nobody else
sees.
Source: istio/ztunnel:src/state.rs:assert_rbac; src/proxy/inbound.rs, inbound_passthrough.rs; src/tls/workload.rs:TrustDomainVerifier.
"""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, DENIED, NOT_APPLICABLE, UNKNOWN, Mention, Station
from meshcheck.semantics.ambient import peer
from meshcheck.semantics.ambient.policies import compiled_for
from meshcheck.semantics.ambient.waypoints import may_detour
from meshcheck.semantics.ambient.ztunnel import is_sent
from meshcheck.semantics.authorization import evaluate, explanation
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.evaluate import Decision
from meshcheck.semantics.authorization.policies import CompiledPolicies
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.server import Arrival
from meshcheck.semantics.world.control_plane import WAYPOINTS_ADMITTED, switched
from meshcheck.semantics.world.world import World

ZTUNNEL = "ztunnel"
_OWN_PORTS = (15001, 15006, 15008)


def serve(world: World, workload: Workload, port: int, arrival: Arrival, explain: bool) -> list[Station]:
    """The stations of a workload's ztunnel, up to the one that refuses."""
    if port in _OWN_PORTS:
        return [_station(workload, "mtls", DENIED, f"port {port} is ztunnel's own: it takes no calls for itself")]
    stations = [_connection(world, workload, port, arrival)]
    if stations[0].verdict == DENIED:
        return stations
    policies = compiled_for(world, workload)
    if explain:
        stations += _left_out(world, workload, policies)
    a = _attributes(port, arrival)
    for found in (_deny(workload, policies, a, explain), _allow(world, workload, policies, a, explain)):
        if found is not None:
            stations.append(found)
            if found.verdict == DENIED:
                break
    return stations


def let_through(workload: Workload, why: str) -> Station:
    """A call that never gets to ztunnel."""
    return _station(workload, "mtls", ALLOWED, f"{why}: ztunnel does not see the call, and no policy of the mesh is applied")


def plaintext(world: World, workload: Workload, port: int) -> peer.Plaintext:
    """What becomes of plaintext at a port."""
    namespace, root = workload.namespace, world.mesh.root_namespace
    return world.once(
        ("plaintext at ztunnel", id(workload), port),
        lambda: peer.plaintext(world.peer_authentications(namespace), namespace, workload.pod_labels, port, root),
    )


def log_line(station: Station) -> str | None:
    """What ztunnel logs of a refusal."""
    if station.enforcer != ZTUNNEL or station.verdict != DENIED or station.policy_id is None:
        return None
    why = "allow policies exist, but none allowed" if station.policy_id == "none" else f"explicitly denied by: {station.policy_id}"
    return f"connection closed due to policy rejection: {why}"


def _station(workload: Workload, name: str, verdict: str, summary: str, by: Mention | None = None, **more: str | None) -> Station:
    return Station(
        name, ZTUNNEL, verdict, summary, (by,) if by is not None else (), symptom=symptoms.RESET if verdict == DENIED else None,
        decider=by if verdict == DENIED else None, workload=str(workload), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _connection(world: World, workload: Workload, port: int, arrival: Arrival) -> Station:
    """HBONE brings an identity; anything else is plaintext to ztunnel, TLS of the application included."""
    if arrival.transport == "hbone":
        identity = (arrival.principal or "").removeprefix("spiffe://")
        domain = identity.split("/")[0]
        if domain != world.mesh.trust_domain:
            why = f"the caller's trust domain `{domain}` is not this mesh's: the handshake fails, whatever aliases there are"
            return _station(workload, "mtls", DENIED, why)
        return _station(workload, "mtls", ALLOWED, f"HBONE, identity {identity}", identity=identity)
    found = plaintext(world, workload, port)
    by = Mention(found.policy.meta, field=found.field) if found.policy is not None else None
    where = (
        f"{found.policy.meta.namespace}/{found.policy.meta.name} {found.mode}" if found.policy is not None else f"{found.mode} by default"
    )
    also = f" ({found.why})" if found.why else ""
    if found.refused:
        return _station(workload, "mtls", DENIED, f"{where}: the call arrives in plaintext{also}", by, policy_id=found.name)
    return _station(workload, "mtls", ALLOWED, f"{where}: plaintext, no identity{also}", by)


def _attributes(port: int, arrival: Arrival) -> Attributes:
    a = Attributes()
    a.http = False
    a.principal = arrival.principal if arrival.transport == "hbone" else None
    a.source_ip, a.destination_ip, a.destination_port = arrival.source_ip, arrival.destination_ip, port
    a.unknown = arrival.unknown
    return a


def _left_out(world: World, workload: Workload, policies: CompiledPolicies) -> list[Station]:
    """What is attached to the workload, and ztunnel has no part in."""
    out = []
    lost = [p for p in policies.attached if not is_sent(p)]
    if lost:
        words = ", ".join(f"{p.meta.namespace}/{p.meta.name} ({_why(p.action, p.dry_run)})" for p in lost)
        mentions = tuple(Mention(p.meta) for p in lost)
        out.append(Station("audit", ZTUNNEL, NOT_APPLICABLE, f"not applied by ztunnel: {words}", mentions, workload=str(workload)))
    tokens = world.request_authentications(workload)
    if tokens:
        names = ", ".join(f"{p.meta.namespace}/{p.meta.name}" for p in tokens)
        summary = f"{names}: ztunnel reads no tokens, only a waypoint does"
        mentions = tuple(Mention(p.meta) for p in tokens)
        out.append(Station("request-authentication", ZTUNNEL, NOT_APPLICABLE, summary, mentions, workload=str(workload)))
    return out


def _why(action: str, dry_run: bool) -> str:
    if dry_run:
        return "dry-run"
    return "an empty selector" if action in ("ALLOW", "DENY") else action


def _deny(workload: Workload, policies: CompiledPolicies, a: Attributes, explain: bool) -> Station | None:
    if not policies.deny:
        return None
    found = _decided(workload, evaluate.deny(policies, a), policies, a, explain)
    void = [rule for rule in policies.deny if rule.impossible]
    if not explain or found.verdict != ALLOWED or not void:
        return found
    lost = ", ".join(f"rule {r.rule.index} of {r.name} ({', '.join(str(t.field.path[-1]) for t in r.dropped)})" for r in void)
    return replace(found, summary=f"{found.summary}; ztunnel empties {lost}, which never matches")


def _allow(world: World, workload: Workload, policies: CompiledPolicies, a: Attributes, explain: bool) -> Station | None:
    found = _decided(workload, evaluate.allow(policies, a), policies, a, explain) if policies.allow_policies else None
    changed = (found is None or found.verdict == DENIED) and switched(world, WAYPOINTS_ADMITTED)
    if changed and may_detour(world, world.services_of(workload), (workload,)):
        missing = f"what {WAYPOINTS_ADMITTED.name} admits: it adds an ALLOW policy for the workload's waypoints, and only for them"
        return _station(workload, "authorization", UNKNOWN, missing, missing=missing)
    if found is not None or policies.deny or not explain:
        return found
    return _station(workload, "authorization", ALLOWED, "no AuthorizationPolicy that ztunnel applies to the workload")


def _decided(workload: Workload, decision: Decision, policies: CompiledPolicies, a: Attributes, explain: bool) -> Station:
    verdict = {True: ALLOWED, False: DENIED, None: UNKNOWN}[decision.allowed]
    rule = decision.rule
    decider = Mention(rule.policy.meta, rule=rule.rule.index, field=("spec", "rules", rule.rule.index)) if rule else None
    if verdict == DENIED and decider is None and len(policies.allow_policies) == 1:
        decider = Mention(policies.allow_policies[0].meta, field=("spec", "rules"))
    mentions, reasons, summary = explanation.explain("authorization", verdict, decision, policies, a) if explain else ((), (), "")
    return Station(
        "authorization",
        ZTUNNEL,
        verdict,
        summary,
        mentions,
        reasons,
        symptoms.RESET if verdict == DENIED else None,
        decision.policy_id if verdict == DENIED else None,
        decider,
        decision.missing,
        str(workload),
    )
