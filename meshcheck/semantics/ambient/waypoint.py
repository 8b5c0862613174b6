"""What a waypoint makes of a call: the filters of its proxy, the routes of what is called, and where it sends the call.

It is an Envoy that HBONE leads into. Policies see the original caller, and the address and port that were called: those of the Service.
Onward it speaks HBONE with an identity of its own.

Source: istio/istio:pilot/pkg/networking/core/listener_waypoint.go:buildWaypointInternal, buildWaypointHTTPFilters, cluster_waypoint.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from meshcheck.model.core import ServicePort, Workload
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station, Symptom
from meshcheck.semantics import port_protocol
from meshcheck.semantics.ambient.attachment import AtWaypoint
from meshcheck.semantics.ambient.capture import HBONE_PORT
from meshcheck.semantics.ambient.waypoints import Detour, is_waypoint, pods_of
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.entry.passed import Passed, refused, unknown
from meshcheck.semantics.outbound.arrival import arrival
from meshcheck.semantics.outbound.sending import Sending
from meshcheck.semantics.tracing import network, server, symptoms
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.target import Backend
from meshcheck.semantics.world.control_plane import LAYERED_WAYPOINTS, switched
from meshcheck.semantics.world.revisions import view_of
from meshcheck.semantics.world.sidecars import Sidecar

WAYPOINT = "waypoint"


def name_of(sending: Sending) -> str:
    """The waypoint, as the trace shows it."""
    assert sending.waypoint is not None
    return sending.waypoint.name


def enter(call: Call, sending: Sending) -> list[Passed]:
    """What each kind of the waypoint's pods makes of a call."""
    detour = sending.waypoint
    assert detour is not None
    if not is_waypoint(call.world, detour.gateway):
        return [unknown((), f"what {detour.name} makes of the call: another controller serves it (class `{detour.gateway.class_name}`)")]
    if switched(call.world, LAYERED_WAYPOINTS):
        return [unknown((), f"what {LAYERED_WAYPOINTS.name} adds at {detour.name}: policies with selectors are applied there, too")]
    pods = pods_of(call.world, detour.gateway)
    if not pods:
        by = Mention(detour.gateway.meta, field=("metadata", "name"))
        why = f"no pod of {detour.name} is ready, and calls still go there"
        symptom = symptoms.NO_ENDPOINT if sending.http_proxy else symptoms.RESET
        station = Station("service", "ztunnel", DENIED, why, (by,), symptom=symptom, decider=by, workload=str(call.who.workload or ""))
        return [Passed((station,), DENIED, symptom)]
    return [_Waypoint(call._replace(world=view_of(call.world, pod)), sending, detour, pod).run() for pod in pods]


class _Waypoint:
    """One call at the pods of a waypoint."""

    def __init__(self, call: Call, sending: Sending, detour: Detour, pod: Workload) -> None:
        self.call, self.sending, self.detour, self.pod = call, sending, detour, pod
        self.world, self.proxy = call.world, AtWaypoint(call.world, detour)
        self.stations: list[Station] = []

    def run(self) -> Passed:
        call, pod = self.call, self.pod
        here = Backend(pod, pod.addresses[0] if pod.addresses else "", HBONE_PORT, None, None)
        self.stations += network.policies(self.world, call.question, call.who, here, call.explain)
        if end := refused(self.stations):
            return end
        if (end := self._connection()) is not None:
            return end
        port = self._port()
        if port is None:
            by = Mention(self.detour.called.service.meta, field=("spec", "ports")) if self.detour.called.service is not None else None
            return self._stop("listener", f"{self.detour.called.ref} has no port {self.detour.called.port}", symptoms.RESET, by)
        attributes = self._filtered(port)
        if end := refused(self.stations):
            return end
        return self._onward(port, attributes)

    def _connection(self) -> Passed | None:
        """The tunnel's certificate: the waypoint takes no one without."""
        principal = self.call.who.principal(self.world.mesh.trust_domain) or ""
        identity = principal.removeprefix("spiffe://")
        domain = identity.split("/")[0]
        if domain not in self.world.mesh.accepted_domains:
            return self._stop("mtls", f"the caller's trust domain `{domain}` is not this mesh's", symptoms.RESET)
        summary = f"HBONE, identity {identity}, on the way to {self.detour.called.ref}"
        self.stations.append(Station("mtls", WAYPOINT, ALLOWED, summary, workload=self.proxy.name, identity=identity))
        return None

    def _port(self) -> ServicePort | None:
        """The port that is called; of a pod any, with whatever protocol shows in its first bytes."""
        if self.detour.called.ref.kind == "Pod":
            return ServicePort("", self.detour.called.port, self.detour.called.port, "TCP", None)
        return next((p for p in self.detour.called.ports if p.number == self.detour.called.port and p.protocol == "TCP"), None)

    def _is_http(self, port: ServicePort) -> bool:
        protocol = port_protocol.protocol_of(port)
        return protocol == port_protocol.HTTP or (protocol == port_protocol.DETECTED and self.call.question.is_http)

    def _filtered(self, port: ServicePort) -> Attributes:
        """The filters in front of the routes. An address that a policy may ask for is that of what is called."""
        address = self.sending.backend.address if self.sending.backend is not None else self._virtual_address()
        called = Backend(None, address, port.number, self.detour.called.service, port)
        arriving = arrival(self.world, self.call.question, self.call.who, self.sending, called, self.call.now)
        found, attributes = server.filters_of(self.world, self.proxy, port.number, arriving, self._is_http(port), self.call.explain)
        self.stations += [replace(station, enforcer=WAYPOINT) for station in found]
        return attributes

    def _virtual_address(self) -> str:
        service = self.detour.called.service
        return service.cluster_ips[0] if service is not None and service.cluster_ips else ""

    def _stop(self, name: str, why: str, symptom: Symptom, by: Mention | None = None) -> Passed:
        station = Station(
            name, WAYPOINT, DENIED, why, (by,) if by else (), symptom=symptom, decider=by, workload=self.proxy.name
        )  # fmt: skip
        return Passed((*self.stations, station), DENIED, symptom)

    # ---- onward ----

    def _onward(self, port: ServicePort, attributes: Attributes) -> Passed:
        call, sending = self.call, self.sending
        http = self._is_http(port)
        headers = {name: tuple(lines) for name, lines in attributes.headers.items()} if http else sending.headers
        base = Sending((), None, self._plain(), http, http, sending.path, sending.authority, sending.method, None, headers=headers)
        if self.detour.called.ref.kind == "Pod":
            return self._sent([self._to_pod(base)])
        service = self.detour.called.service
        if service is None:
            fact = f"what lies behind {self.detour.called.ref}: it is outside the input"
            return Passed(tuple(self.stations), UNKNOWN, None, (fact,))
        from meshcheck.semantics.ambient.waypoint_routes import Routes

        found = Routes(call, self.pod, self.proxy.name, self.detour, attributes).ways(base, service, port, http)
        if isinstance(found, Passed):
            return found._replace(stations=(*self.stations, *found.stations))
        return self._sent(found)

    def _plain(self) -> str:
        return "tls" if self.call.question.protocol in ("https", "tls") else "plaintext"

    def _to_pod(self, base: Sending) -> Sending:
        """What was addressed to a pod goes to that pod, always over HBONE."""
        backend = self.sending.backend
        assert backend is not None
        return replace(base, backend=backend, transport="hbone")

    def _sent(self, sendings: Sequence[Sending]) -> Passed:
        """The second hop: the waypoint's pod calls, with its own identity."""
        pod, call = self.pod, self.call
        known = Sidecar(True, "a waypoint's proxy")
        who = CallerView(
            replace(call.who.caller, external=False, ip=None, node=False, plaintext=False, mtls=False, trust_domain=None),
            str(pod), pod, pod.namespace, pod.service_account, known, pod.addresses[0] if pod.addresses else "",
        )  # fmt: skip
        question = replace(call.question, source_ip=None)
        return Passed(tuple(self.stations), None, None, (), question, who, tuple(sendings))
