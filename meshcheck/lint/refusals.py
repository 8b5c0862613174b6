"""Calls from workload to workload that are refused whatever the request is; each pair is asked about once."""

from __future__ import annotations

from collections.abc import Callable

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.partial_calls import call_with
from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.model.question import Caller, Question, Target
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import DENIED, Station, Trace
from meshcheck.semantics import port_protocol
from meshcheck.semantics.authorization import evaluate
from meshcheck.semantics.tracing import network
from meshcheck.semantics.tracing.caller import CallerView, view
from meshcheck.semantics.tracing.proxies import compiled
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.tracing.target import of_service
from meshcheck.semantics.world.sidecars import sidecar_of

_ON_THE_WAY = frozenset(["network-policy", "dns", "mtls"])
"""Stations that see connections, not requests."""


class Refusal(NamedTuple):
    """Where all calls from one workload to a Service port end. `on_the_way`: before any AuthorizationPolicy is asked."""

    station: Station
    on_the_way: bool

    @property
    def words(self) -> str:
        """What refuses, and what the caller sees."""
        decider = self.station.decider
        who = str(decider.meta.ref) if decider is not None else self.station.summary or self.station.name
        symptom = self.station.symptom
        seen = "" if symptom is None else f" ({symptom.status or symptom.kind})"
        return f"{who}{seen}"


def refusal(evidence: Evidence, caller: Workload, service: Service, port: ServicePort) -> Refusal | None:
    """What refuses every call of a workload to a Service port; None where some may pass, or where that is not known."""

    def find() -> Refusal | None:
        return _end(evidence, question(caller, service, port), lambda server: target_number(port, server) or 0)

    return evidence.once(("refusal", id(caller), service.meta.ref, port.number), find)


def stopped(evidence: Evidence, caller: Workload, service: Service, port: ServicePort) -> Refusal | None:
    """What stops every call of a workload to a Service port before any AuthorizationPolicy is asked; None where some may get there.

    Most calls are stopped nowhere: that is seen without tracing them.
    """
    if _gets_there(evidence, caller, service, port):
        return None
    found = refusal(evidence, caller, service, port)
    return found if found is not None and found.on_the_way else None


def _gets_there(evidence: Evidence, caller: Workload, service: Service, port: ServicePort) -> bool:
    """Whether a call certainly gets to the sidecars of a Service: automatic mTLS between two sidecars, DNS and network policies let it."""
    world = evidence.world
    if not world.mesh.auto_mtls or service.headless or world.inventory.of("DestinationRule") or not sidecar_of(world, caller).present:
        return False
    backends = of_service(world, service, port.number).backends
    asked = question(caller, service, port)
    who = evidence.once(("caller", id(caller)), lambda: view(world, _caller(caller)))
    named = evidence.once(("asks DNS", id(caller)), lambda: _resolves(evidence, asked, who, service, port))
    return (
        named
        and bool(backends)
        and all(
            b.workload is not None and sidecar_of(world, b.workload).present and not network.policies(world, asked, who, b, False)
            for b in backends
        )
    )


def _resolves(evidence: Evidence, asked: Question, who: CallerView, service: Service, port: ServicePort) -> bool:
    return network.name_resolution(evidence.world, asked, who, of_service(evidence.world, service, port.number), False) is None


def pod_refusal(evidence: Evidence, caller: Workload, server: Workload, port: int) -> Refusal | None:
    """The same for calls to a port of a pod's own address, as a scraper makes them."""
    target = Target(namespace=server.namespace, workload=f"{server.kind}/{server.name}", port=port)
    return _end(evidence, Question(_caller(caller), target, headers={}), lambda _: port)


def _end(evidence: Evidence, asked: Question, port_of: Callable[[Workload], int]) -> Refusal | None:
    answer = evidence.trace(asked)
    if answer.verdict != DENIED or answer.decided_at is None:
        return None
    station = answer.decided_at[1]
    if station.name in _ON_THE_WAY:
        return Refusal(station, True)
    if station.name == "authorization" and _whatever(evidence, answer, station, asked.is_http, port_of):
        return Refusal(station, False)
    return None


def _caller(workload: Workload) -> Caller:
    """Pods that istiod makes for a Gateway are not in the input: of them the account is known."""
    if workload.meta.origin is None:
        return Caller(namespace=workload.namespace, service_account=workload.service_account)
    return Caller(namespace=workload.namespace, workload=f"{workload.kind}/{workload.name}")


def question(caller: Workload, service: Service, port: ServicePort) -> Question:
    """A plain call of a workload to a Service port, in the protocol that the port is declared to speak."""
    http = port_protocol.protocol_of(port) in (port_protocol.HTTP, port_protocol.DETECTED)
    return Question(
        caller=_caller(caller),
        target=Target(host=f"{service.name}.{service.namespace}", port=port.number),
        protocol="http" if http else "tcp",
        headers={},
    )


def _whatever(evidence: Evidence, answer: Trace, station: Station, http: bool, port_of: Callable[[Workload], int]) -> bool:
    """Whether the policies of the called workload refuse the caller's identity for every request."""
    server = evidence.world.find_workload(*(station.workload or "").partition("/")[::2])
    if server is None:
        return False
    identity = next((s.identity for s in answer.hops[-1].stations if s.name == "mtls"), None)
    a = call_with(principal=f"spiffe://{identity}" if identity else None, destination_port=port_of(server))
    policies = compiled(evidence.world, server, http)
    return evaluate.deny(policies, a).allowed is False or evaluate.allow(policies, a).allowed is False
