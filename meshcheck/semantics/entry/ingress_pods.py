"""From a location of ingress-nginx to the pods behind it.

Source: kubernetes/ingress-nginx:internal/ingress/controller/controller.go (serviceEndpoints, getServiceClusterEndpoint, createUpstreams).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshcheck.model.core import Service, ServicePort
from meshcheck.model.ingress import Backend, Ingress
from meshcheck.model.record import NamedTuple, replace
from meshcheck.model.trace import Mention, Station, Symptom
from meshcheck.semantics.entry.passed import Passed
from meshcheck.semantics.ingress.annotations import flag, text
from meshcheck.semantics.ingress.canary import shares_of, takes
from meshcheck.semantics.ingress.controller import Controller
from meshcheck.semantics.ingress.servers import Place
from meshcheck.semantics.outbound.destinations import Sender
from meshcheck.semantics.outbound.sending import Sending
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.target import TargetView, of_service
from meshcheck.semantics.world.sidecars import sidecar_of
from meshcheck.semantics.world.world import World

_BAD_GATEWAY = Symptom("http", 502, "Bad Gateway")


class NoPods(NamedTuple):
    """Nothing to send to. `early`: nginx says 503 before it looks at who calls; `missing`: it is not known what is there."""

    why: str
    early: bool
    missing: bool = False
    symptom: Symptom | None = None


class Upstream(NamedTuple):
    """A Service behind a location, with the port that was found."""

    service: Service
    port: ServicePort | None
    view: TargetView
    ingress: Ingress


class Way(NamedTuple):
    """The Services that may get the call: one, or two where chance decides between a Service and its canary."""

    call: Call
    controller: Controller
    place: Place
    upstreams: tuple[Upstream, ...]

    def passed(self, stations: Sequence[Station], path: str, authority: str, headers: Mapping[str, tuple[str, ...]]) -> Passed:
        """The second hop: the controller's pod calls."""
        call = self.call
        base = Sending((), None, "plaintext", True, True, path, authority, call.question.method, None, headers=headers, proxy="nginx")
        sendings = [sending for upstream in self.upstreams for sending in self._sendings(upstream, base)]
        question = replace(call.question, source_ip=None, protocol="grpc" if call.question.protocol == "grpc" else "http")
        return Passed(tuple(stations), None, None, (), question, self._as_caller(), tuple(sendings))

    def _as_caller(self) -> CallerView:
        call, pod = self.call, self.controller.workload
        return CallerView(
            replace(call.who.caller, external=False), str(pod), pod, pod.namespace, pod.service_account, sidecar_of(call.world, pod),
            pod.addresses[0] if pod.addresses else "",
        )  # fmt: skip

    def _through_ztunnel(self, upstream: Upstream, base: Sending) -> list[Sending]:
        """A controller in ambient mode: ztunnel takes what nginx sends."""
        from meshcheck.semantics.ambient import client as ztunnel

        world, who = self.call.world, self._as_caller()
        if _by_cluster_address(self.controller, upstream.ingress, upstream.service):
            return ztunnel.to_service(world, who, base, upstream.service, upstream.view)
        return ztunnel.to_pods(world, who, base, upstream.view.backends)

    def _sendings(self, upstream: Upstream, base: Sending) -> list[Sending]:
        pod, ingress = self.controller.workload, self.place.ingress
        assert ingress is not None
        side = sidecar_of(self.call.world, pod)
        if side.present and upstream.port is not None and _by_cluster_address(self.controller, upstream.ingress, upstream.service):
            mention = Mention(ingress.meta, field=self.place.item.field if self.place.item else ("spec", "defaultBackend"))
            sender = Sender(self.call.world, self.call.question, pod, "route", "ingress-nginx")
            return sender.to_service(replace(base, proxy="envoy"), upstream.service, upstream.port.number, None, mention)
        protocol = (text(ingress, "backend-protocol") or "HTTP").strip().upper()
        tls = protocol in ("HTTPS", "GRPCS") or (protocol == "AUTO_HTTP" and self.call.question.protocol == "https")
        base = replace(base, transport="tls" if tls else "plaintext", originates_tls=tls, proxy="envoy" if side.present else "nginx")
        if side.ambient:
            return self._through_ztunnel(upstream, base)
        return [replace(base, backend=backend) for backend in upstream.view.backends]


def onward(call: Call, controller: Controller, place: Place, headers: Mapping[str, Sequence[str]]) -> Way | NoPods:
    """Where a location sends the call."""
    ingress, backend = place.ingress, place.backend
    if ingress is None or backend is None:
        return NoPods("the default backend", False)
    key, shares = (ingress.meta.namespace, backend), shares_of(call.world, controller)
    first: Upstream | NoPods = NoPods(f"a canary that shares no path takes the upstream of {backend.service} away", True)
    if key not in shares.lost:
        first = _upstream(call.world, controller, ingress, backend)
    if isinstance(first, NoPods):
        return _instead(call, controller, place, first)
    found = shares.canaries.get(key)
    if found is None:
        return Way(call, controller, place, (first,))
    second = _upstream(call.world, controller, found.ingress, found.backend)
    chosen = takes(found, headers)
    if chosen is False or (isinstance(second, NoPods) and not second.missing):
        return Way(call, controller, place, (first,))
    if isinstance(second, NoPods):
        return second
    return Way(call, controller, place, (second,) if chosen else (first, second))


def _instead(call: Call, controller: Controller, place: Place, nothing: NoPods) -> Way | NoPods:
    """The Service of `default-backend`, on its first port, stands in for one that has no pods."""
    ingress = place.ingress
    name = text(ingress, "default-backend") if ingress is not None and nothing.early else None
    if name is None or ingress is None:
        return nothing
    service = call.world.service(ingress.meta.namespace, name)
    if service is None and not call.world.complete("Service", namespace=ingress.meta.namespace):
        return NoPods(f"the Service `{ingress.meta.namespace}/{name}` of default-backend: it is not in the input", False, missing=True)
    if service is None or not service.ports:
        return nothing
    found = _upstream(call.world, controller, ingress, Backend(name, service.ports[0].number))
    if isinstance(found, NoPods):
        return found if found.missing else nothing
    return Way(call, controller, place, (found,))


def _upstream(world: World, controller: Controller, ingress: Ingress, backend: Backend) -> Upstream | NoPods:
    name = f"{ingress.meta.namespace}/{backend.service}"
    service = world.service(ingress.meta.namespace, backend.service)
    if service is None:
        if world.complete("Service", namespace=ingress.meta.namespace):
            return NoPods(f"Service {name} does not exist", True)
        return NoPods(f"the Service `{name}`: it is not in the input", False, missing=True)
    wanted = str(backend.port)
    port = next((p for p in service.ports if wanted in (str(p.number), str(p.target), p.name)), None)
    if port is None and not service.external_name:
        return NoPods(f"Service {name} has no port {backend.port}", True)
    view = of_service(world, service, port.number if port is not None else int(wanted) if wanted.isdigit() else 80)
    if view.missing:
        return NoPods(view.missing, False, missing=True)
    if not view.backends:
        why = view.refused or f"no pod of Service {name} has the port {backend.port}"
        if _by_cluster_address(controller, ingress, service):
            return NoPods(f"{why}, and nginx calls its cluster address (service-upstream)", False, symptom=_BAD_GATEWAY)
        return NoPods(why, True)
    return Upstream(service, port, view, ingress)


def _by_cluster_address(controller: Controller, ingress: Ingress, service: Service) -> bool:
    """`service-upstream`: nginx calls the Service's own address instead of its pods'."""
    return not service.headless and flag(ingress, "service-upstream", controller.on("service-upstream"))
