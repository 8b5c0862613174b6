"""How DestinationRules make callers talk to pods, and whether the pods take that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import is_plain
from meshcheck.lint.repair import removing
from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.model.istio_networking import DestinationRule, Subset
from meshcheck.model.objects import Path
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import DENIED, Fix
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.outbound import tls
from meshcheck.semantics.routing.selection import full_name, host_covers
from meshcheck.semantics.tracing.server import Arrival, bypasses_sidecar, serve, target_number
from meshcheck.semantics.world.sidecars import sidecar_of

WORDS = {"plaintext": "plaintext", "mtls": "mTLS", "tls": "TLS without the mesh's certificates"}
"""Kinds of transport, as messages name them."""


class Leg(NamedTuple):
    """Calls that follow a DestinationRule to one port of one workload."""

    rule: DestinationRule
    field: Path
    """What says how they talk; empty where the rule says nothing."""
    service: Service
    port: ServicePort
    server: Workload
    number: int
    kind: str
    """plaintext, mtls or tls."""
    sidecar: bool
    """Whether a sidecar takes the call: it is there, and the port is not kept away from it."""
    refused: str | None
    """Why the server does not take it, in words."""


def legs(evidence: Evidence) -> tuple[Leg, ...]:
    """All legs of all DestinationRules whose server is known; where a nearer rule counts, a rule has none."""
    return evidence.once("client legs", lambda: tuple(leg for rule in evidence.of("DestinationRule") for leg in _of_rule(evidence, rule)))


def services_under(evidence: Evidence, rule: DestinationRule) -> tuple[Service, ...]:
    """The Services that a rule's host means."""
    host = full_name(rule.host, rule.meta.namespace)
    if not host.startswith("*"):
        by_host = evidence.once("services by host", lambda: {service.host: service for service in evidence.world.services})
        return (by_host[host],) if host in by_host else ()
    return tuple(service for service in evidence.world.services if host_covers(host, service.host))


def rules_seen(evidence: Evidence, rule: DestinationRule, service: Service) -> tls.Rules:
    """The rules that count for a Service at those for whom a rule is: callers in its namespace; for the root's, in the Service's."""
    own = rule.meta.namespace
    client = service.namespace if own == evidence.world.mesh.root_namespace else own
    labels: Mapping[str, str] = rule.workload_selector or {}
    return tls.rules_for(evidence.world, service.host, service.namespace, client, labels)


def without_tls(evidence: Evidence, rule: DestinationRule, field: Path) -> Fix | None:
    """Take a `tls` out of a rule, so that automatic mTLS decides; with it what would be empty without it, which Istio refuses."""
    if field[-1:] != ("tls",) or not evidence.world.mesh.auto_mtls:
        return None
    around: Any = evidence.raw(rule.meta)
    for step in field[:-1]:
        around = around[step]
    return removing(rule.meta, field if len(around) > 1 else field[:-1], "leave it to automatic mTLS", safe=False)


def _of_rule(evidence: Evidence, rule: DestinationRule) -> Iterator[Leg]:
    for service in services_under(evidence, rule):
        seen = rules_seen(evidence, rule, service)
        if rule not in seen.rules:
            continue
        for subset in (None, *(s for s in rule.subsets if s.policy is not None)):
            for server in evidence.world.pods_of(service):
                if subset is None or selects(subset.labels, server.pod_labels):
                    yield from _of_server(evidence, rule, service, seen, subset, server)


def _of_server(
    evidence: Evidence, rule: DestinationRule, service: Service, seen: tls.Rules, subset: Subset | None, server: Workload
) -> Iterator[Leg]:
    world, side = evidence.world, sidecar_of(evidence.world, server)
    if not side.present and not is_plain(evidence, server):
        return
    for port in service.ports:
        number = target_number(port, server)
        if number is None or port.protocol != "TCP":
            continue
        chosen = tls.transport_to(world, service, server, number, port.number, seen, subset)
        if chosen.rule not in (None, rule):
            continue
        guarded = side.present is True and not bypasses_sidecar(server, number)
        refused = _refused(evidence, server, number, chosen.kind) if guarded else _without_sidecar(chosen.kind, bool(side.present))
        yield Leg(rule, chosen.field, service, port, server, number, chosen.kind, guarded, refused)


def _without_sidecar(kind: str, excluded: bool) -> str | None:
    """Only Istio's own mTLS is certainly not what an application speaks."""
    if kind != "mtls":
        return None
    return "the port is kept away from its sidecar" if excluded else "it has no sidecar"


def _refused(evidence: Evidence, server: Workload, number: int, kind: str) -> str | None:
    world = evidence.world
    principal = f"spiffe://{world.mesh.trust_domain}/ns/{server.namespace}/sa/any" if kind == "mtls" else None
    arriving = Arrival(
        kind, principal, True, False, True, "GET", "/", server.name, {}, "", "", "", "", None, frozenset(["headers", "path"]), 0.0
    )
    first = serve(world, server, number, arriving, False)[0]
    return first.summary if first.verdict == DENIED else None
