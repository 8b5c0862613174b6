"""Where the caller's side sends a call, or how it answers by itself.

Sources: istio/istio:pilot/pkg/networking/core/httproute.go, listener_builder.go; dossier sections 5 and 4.3.
"""

from __future__ import annotations

from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.model.istio_networking import HttpMatch, HttpRoute, VirtualService
from meshcheck.model.objects import Meta
from meshcheck.model.question import Question
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, DENIED, Mention, Station, Symptom
from meshcheck.semantics import port_protocol, watching
from meshcheck.semantics.ambient.capture import receives_through
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.outbound import scope as scopes
from meshcheck.semantics.outbound.destinations import Sender
from meshcheck.semantics.outbound.sending import Sending, authority_of, refused, with_token
from meshcheck.semantics.request_path import split_target
from meshcheck.semantics.routing import answers, selection
from meshcheck.semantics.routing.delegates import expanded, unknown_delegate
from meshcheck.semantics.routing.match import RouteRequest
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.target import Backend, TargetView
from meshcheck.semantics.world.hosts import look_up
from meshcheck.semantics.world.world import World

STATION = "client-sidecar"


def send(world: World, question: Question, who: CallerView, what: TargetView, with_sidecar: bool) -> list[Sending]:
    """All ways that the call may take: one for each pod or weighted route; never empty."""
    base = Sending((), None, "plaintext", False, True, question.path, authority_of(question, what), question.method, question.sni)
    service = what.named.service if what.named else None
    if who.sidecar.ambient and question.transport == "TCP" and not (who.caller.plaintext or who.caller.mtls):
        from meshcheck.semantics.ambient import client as ztunnel

        encrypted = question.protocol in ("https", "tls")
        return ztunnel.send(world, question, who, what, replace(base, transport="tls" if encrypted else "plaintext"))
    if with_sidecar and who.workload is not None and question.transport == "TCP":
        capture = captured(who.workload, what.port)
        if capture is None:
            return [
                replace(base, missing=f"whether the call goes through the sidecar of {who.workload}: its annotations name address ranges")
            ]
        if capture:
            return _Client(world, question, who.workload, what, base).send()
    if service is not None and who.workload is not None and question.is_http and not (who.caller.plaintext or with_sidecar):
        routes = _mesh_routes(world, service, what.port, who.workload.namespace)
        if routes is not None and not _shows_mesh(world):
            return _Client(world, question, who.workload, what, base, istio=False).send()
    transport = "mtls" if who.caller.mtls else "tls" if question.protocol in ("https", "tls") else "plaintext"
    if what.refused:
        return [_refused(base, what.refused, symptoms.REFUSED)]
    ways = [replace(base, backend=backend, transport=_with(world, transport, backend)) for backend in what.backends]
    return ways or [replace(base, missing=what.missing)]


def _with(world: World, transport: str, backend: Backend) -> str:
    """A call that is to arrive over mTLS arrives over HBONE where ztunnel takes it: there is no other mTLS in ambient mode."""
    if transport == "mtls" and backend.workload is not None and receives_through(world, backend.workload):
        return "hbone"
    return transport


def _mesh_routes(world: World, service: Service, port: int, namespace: str) -> tuple[HttpRoute, ...] | None:
    """Routes of Gateway API on a Service port; what reads them is imported where there are any."""
    if not (world.inventory.of("HTTPRoute") or world.inventory.of("GRPCRoute")):
        return None
    from meshcheck.semantics.outbound import mesh_routes

    return mesh_routes.routes_for(world, service, port, namespace)


def _shows_mesh(world: World) -> bool:
    from meshcheck.semantics.outbound import mesh_routes

    return mesh_routes.shows_mesh(world)


def _refused(base: Sending, why: str, symptom: Symptom, decider: Mention | None = None, name: str = "service") -> Sending:
    return refused(base, why, symptom, decider, name, STATION if name == STATION else "kube-proxy")


class _Client:
    """One call through the sidecar of a workload."""

    def __init__(self, world: World, question: Question, workload: Workload, what: TargetView, base: Sending, istio: bool = True) -> None:
        self.world, self.question, self.workload, self.what, self.base = world, question, workload, what, base
        self.scope = scopes.scope_of(world, workload)
        self.sender = Sender(world, question, workload, STATION, STATION, mesh=istio)

    def send(self) -> list[Sending]:
        what, question = self.what, self.question
        if what.direct:
            return [self._passed_through(b) for b in what.backends]
        service = self._service()
        if service is None:
            return [self._unknown_host()]
        host, port = service.host, what.port
        found = next((p for p in service.ports if p.number == port and p.protocol == "TCP"), None)
        if found is None:
            if not service.headless:
                return [self._unknown_host(what.refused)]
            found = ServicePort("", port, port, "TCP", None)
        protocol = port_protocol.protocol_of(found)
        if protocol == port_protocol.HTTP and question.protocol in ("https", "tls"):
            why = f"port {port} of {host} is declared as HTTP, and the caller's sidecar cannot read TLS there"
            return [_refused(self.base, why, symptoms.RESET, Mention(service.meta, field=("spec", "ports")), STATION)]
        http = question.is_http and protocol in (port_protocol.HTTP, port_protocol.DETECTED)
        base = replace(self.base, http_proxy=http, tagged=http)
        routes = _mesh_routes(self.world, service, port, self.workload.namespace) if http else None
        if routes is not None:
            return self._mesh_routes(base, routes, found)
        virtual = selection.for_sidecar(self._virtual_services(), host, self.workload.namespace, self.world.mesh.virtual_service_export_to)
        if virtual is not None and http and virtual.http:
            routed = self._http_routes(base, virtual, service, found)
            if routed is not None:
                return routed
        elif virtual is not None and not http and (virtual.tcp or virtual.tls):
            routed = self._l4_routes(base, virtual, found)
            if routed is not None:
                return routed
        return self.sender.to_service(base, service, port, None, None)

    # ---- which host ----

    def _service(self) -> Service | None:
        """The Service that the sidecar takes the call for: by Host on an HTTP port, by address elsewhere."""
        what, question = self.what, self.question
        named = what.named
        service = named.service if named else None
        port = what.port
        if question.is_http and self.sender.mesh:  # other meshes go by the address
            declared = service is None or any(
                p.number == port and port_protocol.protocol_of(p) == port_protocol.HTTP for p in service.ports
            )
            if declared and watching.by is not None:
                self._tell_host(watching.by, service)
            if declared and question.host:
                host = question.host.partition(":")[0]
                other = look_up(self.world, host, self.workload.namespace)
                service = other.service
        if service is not None and not scopes.knows_service(self.world, self.scope, self.workload, service, port):
            return None
        return service

    def _tell_host(self, by: watching.Watcher, service: Service | None) -> None:
        """Another Host is a call to another Service."""
        if service is None:
            by.host_chooses(())
            return
        names = [f"{service.name}.{service.namespace}", service.host.removesuffix(".cluster.local"), service.host]
        by.host_chooses([*names, service.name] if service.namespace == self.workload.namespace else names)

    def _virtual_services(self) -> list[VirtualService]:
        namespace = self.workload.namespace
        found: tuple[VirtualService, ...] = self.world.inventory.of("VirtualService")
        if self.scope.sidecar is None:
            return list(found)
        port = self.what.port
        return [
            v
            for v in found
            if any(self.scope.imports(selection.full_name(h, v.meta.namespace), v.meta.namespace, namespace, port) for h in v.hosts)
        ]

    def _knows_http_on(self, port: int) -> bool:
        """Whether this sidecar has an HTTP listener on a port, for any Service."""
        ports = self.world.once(
            "http ports",
            lambda: {p.number for s in self.world.services for p in s.ports if port_protocol.protocol_of(p) == port_protocol.HTTP},
        )
        return port in ports

    def _unknown_host(self, refused: str | None = None) -> Sending:
        """A host that the sidecar does not know: passed through in plaintext, or blocked."""
        what, scope = self.what, self.scope
        entry = what.named.entry if what.named else None
        http = self.question.is_http and (self._knows_http_on(what.port) or what.port == 80)
        sidecar = scope.sidecar
        decider = Mention(sidecar.meta, field=("spec",)) if sidecar else None
        if entry is not None and selection.is_exported(
            entry.export_to or self.world.mesh.service_export_to, entry.meta.namespace, self.workload.namespace
        ):
            backend = what.backends[0] if what.backends else None
            return replace(self.base, backend=backend, http_proxy=self.question.is_http, missing=None if backend else what.missing)
        if scope.outbound_mode == "REGISTRY_ONLY":
            by = f"Sidecar {sidecar.meta.namespace}/{sidecar.meta.name}" if sidecar and sidecar.outbound_mode else "mesh config"
            why = f"{what.host} is unknown to the caller's sidecar, and outboundTrafficPolicy is REGISTRY_ONLY ({by})"
            return _refused(self.base, why, symptoms.BLOCKED if http else symptoms.RESET, decider, STATION)
        if refused:
            return _refused(
                replace(self.base, http_proxy=http), refused, symptoms.through_client_proxy(symptoms.REFUSED) if http else symptoms.REFUSED
            )
        backends = what.backends
        if not backends:
            return replace(self.base, missing=what.missing or f"what `{what.host}` is")
        service = what.named.service if what.named else None
        why = f"{what.host} is unknown to the caller's sidecar" + (
            f" (Sidecar {sidecar.meta.namespace}/{sidecar.meta.name} does not import it)" if sidecar and service else ""
        )
        return replace(self._passed_through(backends[0], why), http_proxy=http)

    def _passed_through(self, backend: Backend, why: str = "the call goes to a pod's address") -> Sending:
        """PassthroughCluster: the original address, in plaintext, without routes and without identity."""
        http = self.question.is_http and self._knows_http_on(self.what.port)
        transport = "tls" if self.question.protocol in ("https", "tls") else "plaintext"
        station = Station(
            STATION, STATION, ALLOWED, f"{why}: passed through in plaintext, without the mesh's identity", workload=str(self.workload)
        )
        return replace(
            self.base, stations=(*self.base.stations, station), backend=backend, transport=transport, http_proxy=http, tagged=False
        )

    # ---- routes ----

    def _request(self, base: Sending, port: ServicePort) -> RouteRequest:
        question = self.question
        path, query = split_target(question.path)
        labels, namespace = self.workload.pod_labels, self.workload.namespace
        return RouteRequest(question.method, path, query, "http", base.authority, question.headers, port.number, "mesh", labels, namespace)

    def _mesh_routes(self, base: Sending, routes: tuple[HttpRoute, ...], port: ServicePort) -> list[Sending]:
        """Routes of Gateway API that are attached to the Service."""
        from meshcheck.semantics.outbound import mesh_routes

        request = self._request(base, port)
        route, match = mesh_routes.choose(routes, request)
        owners = {r.owner.ref: r.owner for r in routes if r.owner is not None}
        if route is None or route.owner is None:
            names = ", ".join(str(ref) for ref in owners)
            mention = Mention(next(iter(owners.values())), field=("spec", "rules"))
            return [_refused(base, f"{names}: no rule matches", symptoms.NO_ROUTE, mention, STATION)]
        sender = self.sender._replace(no_cluster=symptoms.NO_BACKEND)
        return self._take(base, route.owner, route, match, request, sender)

    def _http_routes(self, base: Sending, virtual: VirtualService, service: Service, port: ServicePort) -> list[Sending] | None:
        request = self._request(base, port)
        chosen = selection.choose(expanded(self.world, virtual).http, request)
        if not chosen.usable:
            return None  # no route is meant for this client: the Service's own route applies
        if chosen.route is None:
            mention = Mention(virtual.meta, field=("spec", "http"))
            why = f"VirtualService {virtual.meta.namespace}/{virtual.meta.name}: no route matches"
            return [_refused(base, why, symptoms.NO_ROUTE, mention, STATION)]
        if (fact := unknown_delegate(virtual, chosen.route)) is not None:
            return [replace(base, missing=fact)]
        return self._take(base, virtual.meta, chosen.route, chosen.match, request, self.sender)

    def _take(
        self, base: Sending, owner: Meta, route: HttpRoute, match: HttpMatch | None, request: RouteRequest, sender: Sender
    ) -> list[Sending]:
        """What a chosen route makes of the call."""
        name = f"{owner.ref.kind} {owner.namespace}/{owner.name}"
        number = next((step for step in reversed(route.field) if isinstance(step, int)), None)
        mention = Mention(owner, rule=number, field=route.field)
        aborted = []
        if route.abort_status and route.abort_percentage > 0 and not route.redirect and not route.direct_response:
            symptom = Symptom("http", route.abort_status, "fault filter abort")
            fault = replace(mention, field=(*route.field, "fault", "abort"))
            aborted = [_refused(base, f"{name}: fault.abort {route.abort_status}", symptom, fault, STATION)]
            if route.abort_percentage >= 100:
                return aborted
        own = answers.own_answer(route, match, request)
        if own is not None:
            return [self._own_answer(base, name, own, mention)]
        words = f"{name}: route {route.name or number}"
        station = Station(STATION, STATION, ALLOWED, words, (mention,), decider=mention, workload=str(self.workload))
        target, authority = answers.rewritten(route, match, request.path, request.query, base.authority)
        onward = answers.changed_headers(route, with_token(self.question)) if route.request_headers else None
        base = replace(base, stations=(*base.stations, station), path=target, authority=authority, headers=onward)
        return [*aborted, *sender.to_destinations(base, owner, route.destinations, request.port)]

    def _own_answer(self, base: Sending, name: str, symptom: Symptom, mention: Mention) -> Sending:
        status = symptom.status or 0
        what = "redirect" if symptom.headers else "direct response"
        verdict = DENIED if status >= 400 else ALLOWED
        station = Station(
            STATION,
            STATION,
            verdict,
            f"{name}: {what} {status}",
            (mention,),
            symptom=symptom,
            decider=mention,
            workload=str(self.workload),
            answers=verdict == ALLOWED,
        )
        return replace(base, stations=(*base.stations, station))

    def _l4_routes(self, base: Sending, virtual: VirtualService, port: ServicePort) -> list[Sending] | None:
        for route in (*virtual.tls, *virtual.tcp):
            if not route.matches or any(self._l4_matches(match, port) for match in route.matches):
                mention = Mention(virtual.meta, field=route.field)
                station = Station(
                    STATION,
                    STATION,
                    ALLOWED,
                    f"VirtualService {virtual.meta.namespace}/{virtual.meta.name}: route",
                    (mention,),
                    workload=str(self.workload),
                )
                return self.sender.to_destinations(
                    replace(base, stations=(*base.stations, station)), virtual.meta, route.destinations, port.number
                )
        return None

    def _l4_matches(self, match: object, port: ServicePort) -> bool:
        if not isinstance(match, dict):
            return True
        if match.get("gateways") and "mesh" not in match["gateways"]:
            return False
        if match.get("port") not in (None, port.number):
            return False
        if match.get("sniHosts") and not any(selection.host_covers(h, self.question.sni or self.what.host) for h in match["sniHosts"]):
            return False
        if match.get("sourceNamespace") not in (None, "", self.workload.namespace):
            return False
        return selects(match.get("sourceLabels"), self.workload.pod_labels)


def captured(workload: Workload, port: int) -> bool | None:
    """Whether calls to a port go through the caller's sidecar; None when annotations let addresses decide."""
    notes = workload.pod_annotations
    prefix = "traffic.sidecar.istio.io/"
    if str(port) in [item.strip() for item in notes.get(f"{prefix}excludeOutboundPorts", "").split(",")]:
        return False
    if notes.get(f"{prefix}excludeOutboundIPRanges", "").strip() or notes.get(f"{prefix}includeOutboundIPRanges", "*").strip() != "*":
        return None
    return True
