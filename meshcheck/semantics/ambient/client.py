"""The caller's ztunnel: where it sends a call, and how.

ztunnel goes by addresses: that of a Service leads to the Service's waypoint or to one of its pods, that of a pod to the pod's waypoint or
to the pod. It knows no routes, no DestinationRules and no Sidecars; what it does not know it passes through. With peers that speak HBONE
it does, with all others it talks as the application does.

Source: istio/ztunnel:src/proxy/outbound.rs:build_request; src/state.rs:fetch_service_waypoint, load_balance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshcheck.model.core import Service, Workload
from meshcheck.model.objects import ObjectRef
from meshcheck.model.question import Question
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, Mention, Station
from meshcheck.semantics.ambient import waypoints
from meshcheck.semantics.ambient.capture import HBONE_PORT, receives_through, sidecar_takes_hbone
from meshcheck.semantics.ambient.waypoints import Called
from meshcheck.semantics.outbound.sending import Sending, by_waypoint, refused
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.target import Backend, TargetView
from meshcheck.semantics.world.sidecars import sidecar_of
from meshcheck.semantics.world.world import World

STATION = "client-tls"
ENFORCER = "ztunnel"


def send(world: World, question: Question, who: CallerView, what: TargetView, base: Sending) -> list[Sending]:
    """All ways that a call of a captured pod may take; never empty. `base` is the call as the application makes it."""
    named = what.named
    if named is not None and named.entry is not None:
        entry = named.entry
        found = waypoints.binding(world, entry.meta.labels, entry.meta.namespace, "service")
        if (way := by_waypoint(base, found, Called(entry.meta.ref, entry.ports, what.port))) is not None:
            return [way]
    service = named.service if named is not None else None
    if service is None:
        return to_pods(world, who, base, what.backends) or [replace(base, missing=what.missing)]
    return to_service(world, who, base, service, what)


def to_service(world: World, who: CallerView, base: Sending, service: Service, what: TargetView) -> list[Sending]:
    """The ways to a Service by its address: its waypoint, or one of its pods. A headless one has none: its pods are called."""
    if service.headless:
        return to_pods(world, who, base, what.backends) or [replace(base, missing=what.missing)]
    found = waypoints.binding(world, service.meta.labels, service.namespace, "service")
    if (way := by_waypoint(base, found, Called(service.meta.ref, service.ports, what.port, service))) is not None:
        return [way]
    if what.refused:
        by = Mention(service.meta, field=("spec", "ports"))
        return [refused(base, what.refused, symptoms.RESET, by, "service", ENFORCER)]
    return [sent for backend in what.backends for sent in _to_backend(world, who, base, backend, False)] or [
        replace(base, missing=what.missing)
    ]


def to_pods(world: World, who: CallerView, base: Sending, backends: Iterable[Backend]) -> list[Sending]:
    """The ways to pods whose addresses are called."""
    return [sent for backend in backends for sent in _to_backend(world, who, base, backend, True)]


def _to_backend(world: World, who: CallerView, base: Sending, backend: Backend, addressed: bool) -> Iterator[Sending]:
    """The ways to one pod, whether its address was called (`addressed`) or ztunnel chose it behind a Service."""
    workload = backend.workload
    if workload is None:
        yield replace(base, backend=backend)
        return
    if addressed:
        found = waypoints.binding(world, workload.pod_labels, workload.namespace, "workload")
        pod = ObjectRef("v1", "Pod", workload.namespace, workload.name)
        if (way := by_waypoint(base, found, Called(pod, (), backend.port))) is not None:
            yield replace(way, backend=backend)
            return
    for hbone in _speaks(world, workload):
        yield _direct(world, who, base, backend, workload, hbone)


def _speaks(world: World, workload: Workload) -> tuple[bool, ...]:
    """Whether HBONE is spoken with a pod; both where it is not known."""
    if receives_through(world, workload):
        return (True,)
    if sidecar_of(world, workload).present is not True:
        return (False,)
    takes = sidecar_takes_hbone(world, workload)
    return (takes,) if takes is not None else (True, False)


def _direct(world: World, who: CallerView, base: Sending, backend: Backend, workload: Workload, hbone: bool) -> Sending:
    if hbone:
        words = f"HBONE to port {HBONE_PORT} of {workload}, with the caller's identity"
    elif sidecar_of(world, workload).present:
        words = f"the sidecar of {workload} does not take HBONE: sent as the application sends it, without identity"
    else:
        words = f"{workload} is not in the mesh: sent as the application sends it, without identity"
    station = Station(STATION, ENFORCER, ALLOWED, words, workload=str(who.workload))
    transport = "hbone" if hbone else base.transport
    return replace(base, stations=(*base.stations, station), backend=backend, transport=transport)
