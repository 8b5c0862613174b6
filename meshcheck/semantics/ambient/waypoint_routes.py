"""The routes of a Service at its waypoint: VirtualServices, and the routes of Gateway API that are attached to the Service.

Only those of the Service's namespace and of the waypoint's count. Routes by the caller's labels do not exist here. The routes of several
VirtualServices are put behind each other, the oldest first; what none of them takes is a 404.

Source: istio/istio:pilot/pkg/networking/core/listener_waypoint.go:buildWaypointInboundHTTPRouteConfig, waypointInboundRoute,
getVirtualServiceForWaypoint, getWaypointTCPRoutes.
"""

from __future__ import annotations

from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.model.istio_networking import HttpMatch, HttpRoute, VirtualService
from meshcheck.model.objects import Meta
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, DENIED, Mention, Station, Symptom
from meshcheck.semantics.ambient.waypoints import Detour
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.entry.passed import Passed, unknown
from meshcheck.semantics.outbound import mesh_routes
from meshcheck.semantics.outbound.destinations import Sender
from meshcheck.semantics.outbound.sending import Sending
from meshcheck.semantics.request_path import split_target
from meshcheck.semantics.routing import answers, cors, selection
from meshcheck.semantics.routing.delegates import expanded, unknown_delegate
from meshcheck.semantics.routing.match import RouteRequest
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.call import Call

WAYPOINT = "waypoint"


class Routes:
    """The routes for one call. `name` is the waypoint's in the trace; `attributes` the request as its filters leave it."""

    def __init__(self, call: Call, pod: Workload, name: str, detour: Detour, attributes: Attributes) -> None:
        self.call, self.world, self.pod, self.name, self.detour, self.attributes = call, call.world, pod, name, detour, attributes
        self.sender = Sender(self.world, call.question, pod, "route", WAYPOINT, waypoint=detour.gateway.meta.ref)

    def ways(self, base: Sending, service: Service, port: ServicePort, http: bool) -> list[Sending] | Passed:
        """Where the call goes, or how it ends here."""
        virtual = self._virtual_services(service)
        if not http:
            return self._connections(base, virtual, service, port)
        namespaces = dict.fromkeys((service.namespace, self.detour.gateway.meta.namespace or ""))
        attached = mesh_routes.routes_in(self.world, service, port.number, tuple(namespaces))
        if attached and virtual:
            names = ", ".join(str(v.meta.ref) for v in virtual)
            return unknown(
                (), f"in which order the routes of {names} and those attached to Service {service.name} are tried at the waypoint"
            )
        if attached:
            return self._attached(base, attached, service, port)
        return self._of_istio(base, virtual, service, port)

    def _virtual_services(self, service: Service) -> list[VirtualService]:
        own = self.detour.gateway.meta.namespace or ""
        found = (
            v
            for v in self.world.inventory.of("VirtualService")
            if v.meta.namespace in (own, service.namespace)
            and "mesh" in v.gateways
            and selection.is_exported(v.export_to or self.world.mesh.virtual_service_export_to, v.meta.namespace, own)
            and any(selection.host_covers(selection.full_name(h, v.meta.namespace), service.host) for h in v.hosts)
        )
        return sorted(found, key=selection.age)

    def _request(self, base: Sending, port: ServicePort) -> RouteRequest:
        _, query = split_target(base.path)
        return RouteRequest(
            base.method, self.attributes.path, query, "http", base.authority, self.attributes.headers, port.number, "mesh", {},
            self.detour.gateway.meta.namespace or "", self.attributes.payload,
        )  # fmt: skip

    # ---- HTTP ----

    def _attached(self, base: Sending, routes: tuple[HttpRoute, ...], service: Service, port: ServicePort) -> list[Sending] | Passed:
        request = self._request(base, port)
        route, match = mesh_routes.choose(routes, request)
        owners = {r.owner.ref: r.owner for r in routes if r.owner is not None}
        if route is None or route.owner is None:
            mention = Mention(next(iter(owners.values())), field=("spec", "rules"))
            return self._stop(f"{', '.join(map(str, owners))}: no rule matches", symptoms.NO_ROUTE, mention)
        return self._take(base, route.owner, route, match, request, self.sender._replace(no_cluster=symptoms.NO_BACKEND))

    def _of_istio(self, base: Sending, virtual: list[VirtualService], service: Service, port: ServicePort) -> list[Sending] | Passed:
        request = self._request(base, port)
        usable: list[VirtualService] = []
        for each in virtual:
            chosen = selection.choose(expanded(self.world, each).http, request)
            if chosen.usable:
                usable.append(each)
            if chosen.route is not None:
                if (fact := unknown_delegate(each, chosen.route)) is not None:
                    return unknown((), fact)
                return self._take(base, each.meta, chosen.route, chosen.match, request, self.sender)
        if usable:
            mention = Mention(usable[0].meta, field=("spec", "http"))
            names = ", ".join(f"VirtualService {v.meta.namespace}/{v.meta.name}" for v in usable)
            return self._stop(f"{names}: no route matches", symptoms.NO_ROUTE, mention)
        return self.sender.to_service(base, service, port.number, None, None)

    def _stop(self, why: str, symptom: Symptom, by: Mention, name: str = "route") -> Passed:
        station = Station(name, WAYPOINT, DENIED, why, (by,), symptom=symptom, decider=by, workload=self.name)
        return Passed((station,), DENIED, symptom)

    def _take(
        self, base: Sending, owner: Meta, route: HttpRoute, match: HttpMatch | None, request: RouteRequest, sender: Sender
    ) -> list[Sending] | Passed:
        """What a chosen route makes of the call: a fault, CORS, an answer of its own, or destinations."""
        number = next((step for step in reversed(route.field) if isinstance(step, int)), None)
        mention = Mention(owner, rule=number, field=route.field)
        name = f"{owner.ref}: route {route.name or number}"
        aborted: list[Sending] = []
        if route.abort_status and route.abort_percentage > 0 and not route.redirect and not route.direct_response:
            fault = replace(mention, field=(*route.field, "fault", "abort"))
            ends = self._stop(
                f"{name}: fault.abort {route.abort_status}", Symptom("http", route.abort_status, "fault filter abort"), fault, "fault"
            )
            if route.abort_percentage >= 100:
                return ends
            aborted = [replace(base, stations=ends.stations)]
        stations: list[Station] = []
        if route.cors is not None and self.attributes.headers.get("origin"):
            said = cors.answer(route.cors, request.method, self.attributes.headers, Mention(owner, field=(*route.field, "corsPolicy")))
            if said is not None:
                stations.append(replace(said, enforcer=WAYPOINT, workload=self.name))
                if said.answers:
                    return Passed(tuple(stations), ALLOWED, said.symptom)
        own = answers.own_answer(route, match, request)
        if own is not None:
            verdict = DENIED if (own.status or 0) >= 400 else ALLOWED
            what = "redirect" if own.headers else "direct response"
            station = Station(
                "route", WAYPOINT, verdict, f"{name}: {what} {own.status}", (mention,), symptom=own, decider=mention, workload=self.name,
                answers=verdict == ALLOWED,
            )  # fmt: skip
            return Passed((*stations, station), verdict, own)
        stations.append(Station("route", WAYPOINT, ALLOWED, name, (mention,), decider=mention, workload=self.name))
        target, authority = answers.rewritten(route, match, request.path, request.query, base.authority)
        headers = {key: tuple(lines) for key, lines in self.attributes.headers.items()}
        onward = answers.changed_headers(route, headers)
        base = replace(base, stations=tuple(stations), path=target, authority=authority, headers=onward)
        if not route.destinations:
            return self._stop(f"{name}: it has no destination", sender.no_cluster, mention)
        return [*aborted, *sender.to_destinations(base, owner, route.destinations, request.port)]

    # ---- connections ----

    def _connections(self, base: Sending, virtual: list[VirtualService], service: Service, port: ServicePort) -> list[Sending]:
        for each, route in [(v, r) for v in virtual for r in v.tls if _by_name(r.matches, service.host)] + [
            (v, r) for v in virtual for r in v.tcp
        ]:
            if not route.matches or any(_fits(match, port.number) for match in route.matches):
                mention = Mention(each.meta, field=route.field)
                station = Station("route", WAYPOINT, ALLOWED, f"{each.meta.ref}: route", (mention,), decider=mention, workload=self.name)
                return self.sender.to_destinations(replace(base, stations=(station,)), each.meta, route.destinations, port.number)
        return self.sender.to_service(base, service, port.number, None, None)


def _by_name(matches: tuple[object, ...], host: str) -> bool:
    """Of routes by TLS name a waypoint knows those for the very name of the Service."""
    return not matches or any(isinstance(m, dict) and list(m.get("sniHosts") or ()) == [host] for m in matches)


def _fits(match: object, port: int) -> bool:
    """The caller's labels and namespace are not known here."""
    if not isinstance(match, dict):
        return True
    if match.get("sourceLabels") or match.get("sourceNamespace"):
        return False
    if match.get("gateways") and "mesh" not in match["gateways"]:
        return False
    return match.get("port") in (None, port)
