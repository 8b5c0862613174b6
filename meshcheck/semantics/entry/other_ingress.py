"""Entry through ingress controllers other than ingress-nginx: what refuses there, and the way on to the Service.

Which paths an Ingress has follows the controller: Traefik compares letters, the others whole segments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshcheck.model.core import Service, Workload
from meshcheck.model.ingress import Backend
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station, Symptom
from meshcheck.semantics import watching
from meshcheck.semantics.entry import contour
from meshcheck.semantics.entry import traefik as traefik_entry
from meshcheck.semantics.entry.client import Peer, peer_of
from meshcheck.semantics.entry.found import Found
from meshcheck.semantics.entry.passed import Entry, Passed, refused, unknown
from meshcheck.semantics.ingress.controller import is_ingress_nginx
from meshcheck.semantics.ingress.others import clouds, kong, traefik
from meshcheck.semantics.ingress.others.asked import MALFORMED, Asked
from meshcheck.semantics.ingress.others.controllers import controller_of
from meshcheck.semantics.outbound.sending import Sending, authority_of, with_token
from meshcheck.semantics.request_path import split_target
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.tracing.target import TargetView, of_service
from meshcheck.semantics.world.sidecars import Sidecar, sidecar_of
from meshcheck.semantics.world.world import World

_PODS = {"traefik": ("traefik",), "kong": ("kong", "ingress", "gateway"), "haproxy": ("kubernetes-ingress",), "haproxy-ingress": ("haproxy-ingress",), "contour": ("envoy", "contour")}  # fmt: skip  # noqa: E501
_CLOUD = ("aws-load-balancer", "gke")
_UNREAD = "what the objects of Traefik mean: one of them is not of the form that is known"
_NO_PATH = Symptom("http", 404, "")
_UNAVAILABLE = Symptom("http", 503, "")


def other_entries(call: Call, host: str) -> list[Entry]:
    """The controllers whose objects have the host; one entry for each object that takes the path, or one for the 404."""
    path = split_target(call.question.path)[0]
    if watching.by is not None and any(call.world.inventory.of(kind) for kind in ("Ingress", "IngressRoute", "HTTPProxy")):
        watching.by.opaque("ingress controllers look at requests in their own way")
    every = list(_ingresses(call.world, host, path))
    try:
        pod, service, peer = _seen_by(call, "traefik")
        bound = next((p for p in service.ports if p.number == call.what.port), None) if service is not None else None
        port = target_number(bound, pod) if bound is not None and pod is not None else None
        taken = traefik_entry.find(call, host, pod, port, peer)
        every += [] if taken is None else [(1, taken)]
    except MALFORMED:
        every += [(0, Found("traefik", i.meta, ("spec",), None, _none, _UNREAD)) for i in call.world.inventory.of("IngressRoute")[:1]]
    for item in call.world.inventory.of("HTTPProxy")[:1]:
        try:
            found = contour.find(call, host)
        except MALFORMED:
            unclear = "what the HTTPProxies mean: one of them is not of the form that is known"
            found = Found("contour", item.meta, ("spec",), None, _none, unclear)
        every += [] if found is None else [(1, found)]
    best: dict[str, tuple[int, Found]] = {}
    for rank, found in every:
        if found.controller not in best or rank > best[found.controller][0]:
            best[found.controller] = rank, found
    return [Entry(f"{found.controller}", lambda call, found=found: _enter(call, found)) for _, found in best.values()]  # type: ignore[misc]


def _ingresses(world: World, host: str, path: str) -> Iterator[tuple[int, Found]]:
    for ingress in world.inventory.of("Ingress"):
        controller = controller_of(world, ingress)
        if controller in (None, "traefik") or (controller == "ingress-nginx" and any(is_ingress_nginx(pod) for pod in world.workloads)):
            continue

        def guards(asked: Asked, service: Service | None, ingress: Any = ingress, controller: str = controller) -> list[Station]:
            if controller == "kong":
                return kong.stations(asked, [ingress.meta, *([service.meta] if service is not None else [])])
            if controller in ("haproxy", "haproxy-ingress"):
                return clouds.haproxy(asked, ingress)
            return clouds.aws(asked, ingress) if controller == "aws-load-balancer" else clouds.gke(asked, ingress, service)

        known = {"kong", "haproxy", "haproxy-ingress", *_CLOUD}
        unclear = None if controller in known else f"what {controller} makes of the call: its Ingresses are not traced"
        if controller == "ingress-nginx":
            unclear = "the pods of ingress-nginx and their settings: they are not in the input"
        for rule in ingress.rules:
            if not (rule.host in ("", host) or (rule.host.startswith("*.") and host.endswith(rule.host[1:]))):
                continue
            yield 0, Found(controller, ingress.meta, ("spec", "rules"), None, guards, unclear)
            for item in rule.paths:
                prefix = item.path.rstrip("/")
                if item.path == path if item.kind == "Exact" else path == prefix or path.startswith(prefix + "/"):
                    rank = 1 + 2 * len(item.path) + (item.kind == "Exact")
                    yield rank, Found(controller, ingress.meta, item.field, item.backend, guards, unclear)


def _none(asked: Asked, service: Service | None) -> list[Station]:
    return []


def _enter(call: Call, found: Found) -> Passed:
    """What the controller makes of the call."""
    world, question = call.world, call.question
    mention = Mention(found.meta, field=found.field)
    pod, _, peer = _seen_by(call, found.controller)
    stations = [Station("route", found.controller, ALLOWED, f"{found.meta.ref}", (mention,))]
    if found.unclear is not None:
        return Passed(tuple(stations), UNKNOWN, None, (found.unclear,))
    if found.backend is None:
        station = Station(
            "route", found.controller, DENIED, f"{found.meta.ref}: no path matches", (mention,), symptom=_NO_PATH, decider=mention
        )
        return Passed((station,), DENIED, _NO_PATH)
    service = world.service(found.meta.namespace, found.backend.service)
    asked = Asked(world, found.controller, question.method, with_token(question), peer.address, peer.why)
    try:
        stations += found.guards(asked, service)
    except MALFORMED:
        fact = f"what the settings of {found.controller} for {found.meta.ref} mean: one of them is not of the form that is known"
        return Passed(tuple(stations), UNKNOWN, None, (fact,))
    if end := refused(stations):
        return end
    if service is None:
        if not world.complete("Service", namespace=found.meta.namespace):
            return Passed(
                tuple(stations), UNKNOWN, None, (f"the Service `{found.meta.namespace}/{found.backend.service}`: it is not in the input",)
            )
        symptom = traefik.NOT_FOUND if found.controller == "traefik" else _UNAVAILABLE
        why = f"Service {found.meta.namespace}/{found.backend.service} does not exist"
        station = Station("service", found.controller, DENIED, why, (mention,), symptom=symptom, decider=mention)
        return Passed((*stations, station), DENIED, symptom)
    view = _view(world, service, found.backend)
    if not view.backends:
        if view.missing:
            return Passed(tuple(stations), UNKNOWN, None, (view.missing,))
        station = Station("service", found.controller, DENIED, view.refused or "", (mention,), symptom=_UNAVAILABLE, decider=mention)
        return Passed((*stations, station), DENIED, _UNAVAILABLE)
    for backend in found.others:
        other = world.service(found.meta.namespace, backend.service)
        more = _view(world, other, backend) if other is not None else None
        if more is None or not more.backends:
            return Passed(
                tuple(stations), UNKNOWN, None, (f"which Service gets the call: {backend.service} has a share of it, and no pods",)
            )
        view = replace(view, backends=(*view.backends, *more.backends))
    target = question.path if found.target is None else found.target
    base = Sending((), None, "plaintext", True, True, target, authority_of(question, call.what), question.method, None)
    onward = replace(question, source_ip=None, protocol="grpc" if question.protocol == "grpc" else "http")
    who, sendings = _onward(call, found.controller, pod, base, view)
    return Passed(tuple(stations), None, None, (), onward, who, sendings)


def _view(world: World, service: Service, backend: Backend) -> TargetView:
    port = next((p for p in service.ports if backend.port in (p.number, p.name)), None)
    return of_service(world, service, port.number if port is not None else int(backend.port) if str(backend.port).isdigit() else 0)


def _onward(call: Call, controller: str, pod: Workload | None, base: Sending, view: TargetView) -> tuple[CallerView, tuple[Sending, ...]]:
    """The controller's pods as callers. In ambient mode ztunnel takes what they send to pods."""
    caller = replace(call.who.caller, external=False)
    if pod is None or not (side := sidecar_of(call.world, pod)).ambient:
        stranger = pod or _stand_in(call.world, controller)
        who = CallerView(caller, controller, stranger, "", "", Sidecar(False, "outside the mesh"), "", None, pod is not None)
        return who, tuple(replace(base, backend=b) for b in view.backends)
    from meshcheck.semantics.ambient import client as ztunnel

    address = pod.addresses[0] if pod.addresses else ""
    who = CallerView(caller, str(pod), pod, pod.namespace, pod.service_account, side, address)
    return who, tuple(ztunnel.to_pods(call.world, who, base, view.backends))


def nobody(call: Call, controller: str, service: Service, host: str) -> Entry:
    """The entry for a host that no object of a controller has."""
    name, world = str(service.meta.ref), call.world
    kinds = {"contour": ("HTTPProxy", "Ingress"), "traefik": ("IngressRoute", "Ingress"), "kong": ("Ingress",)}.get(controller, ())
    if not kinds or not all(world.complete(kind) for kind in kinds):
        return Entry(name, lambda call: unknown((), f"what {controller} makes of host `{host}`: no object in the input has it"))
    if controller == "traefik" and (bad := traefik_entry.unread(call)) is not None:
        return Entry(name, lambda call: Passed((bad,), DENIED, bad.symptom))
    ends_tls = controller != "contour" or call.question.protocol != "https"
    symptom = symptoms.TLS_FAILURE if not ends_tls else traefik.NOT_FOUND if controller == "traefik" else _NO_PATH
    station = Station(
        "route", controller, DENIED, f"no object of {controller} has host `{host}`", (Mention(service.meta),), symptom=symptom
    )
    return Entry(name, lambda call: Passed((station,), DENIED, symptom))


def _seen_by(call: Call, controller: str) -> tuple[Workload | None, Service | None, Peer]:
    """The pods of a controller, their Service, and the address that they see."""
    pod, service = _pods(call.world, controller)
    if service is None and controller not in _CLOUD and call.who.workload is None:
        return pod, service, Peer("", f"which address {controller} sees as the client's: its Service is not in the input")
    return pod, service, peer_of(call, service)


def _pods(world: World, controller: str) -> tuple[Workload | None, Service | None]:
    for pod in world.workloads:
        if pod.pod_labels.get("app.kubernetes.io/name") in _PODS.get(controller, ()):
            service = next((s for s in world.services_of(pod) if s.kind in ("LoadBalancer", "NodePort")), None)
            return pod, service
    return None, None


def controller_at(world: World, service: Service) -> str | None:
    """The controller whose pods a Service selects."""
    names = {pod.pod_labels.get("app.kubernetes.io/name") for pod in world.pods_of(service)}
    return next((controller for controller, known in _PODS.items() if names & set(known)), None)


def _stand_in(world: World, controller: str) -> Workload:
    def make() -> Workload:
        meta = Meta(ObjectRef("apps/v1", "Deployment", controller, controller), {}, {}, "", None)
        return Workload(meta, "Deployment", {}, {}, "", (), False, (), "", None, ())

    return world.once(("stand-in for", controller), make)
