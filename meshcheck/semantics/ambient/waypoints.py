"""Which waypoint a Service, ServiceEntry or pod uses.

Source: istio/istio:pilot/pkg/serviceregistry/ambient/waypoints.go:GetUseWaypoint, fetchWaypointForTarget, makeAllowedRoutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.model.gateway_api import Gateway
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.ambient.capture import HBONE_PORT
from meshcheck.semantics.attachment import GATEWAY_NAME
from meshcheck.semantics.gateway_api.classes import class_of, controller_of
from meshcheck.semantics.gateway_api.listeners import namespace_allowed
from meshcheck.semantics.world import World
from meshcheck.semantics.world.control_plane import GATEWAYS_USE_WAYPOINTS, switched

USE = "istio.io/use-waypoint"
USE_NAMESPACE = "istio.io/use-waypoint-namespace"
SERVES = "istio.io/waypoint-for"
CONTROLLER = "istio.io/mesh-controller"
_ACCOUNT = "gateway.istio.io/service-account"
_MANAGED = "gateway.istio.io/managed"
_CANARY = "istio.io/use-waypoint-canary"
INGRESS = "istio.io/ingress-use-waypoint"
CLASS_NAME = "gateway.networking.k8s.io/gateway-class-name"
_LABELS = {"istio.io/dataplane-mode": "none", "sidecar.istio.io/inject": "false", _MANAGED: "istio.io-mesh-controller"}
Problem = Literal["missing", "not ready", "not admitted", "other traffic"]


class Use(NamedTuple):
    """A label that asks for a waypoint. `owner` is a Namespace, or None for the object itself."""

    name: str
    namespace: str
    owner: Meta | None


class Called(NamedTuple):
    """What is called: a Service, a ServiceEntry, or a pod by its address. `ports` are those of the Service or ServiceEntry.

    `port` is the one that is called: one of these, or the pod's.
    """

    ref: ObjectRef
    ports: tuple[ServicePort, ...]
    port: int
    service: Service | None = None


class Detour(NamedTuple):
    """A waypoint on the way to what is called."""

    gateway: Gateway
    called: Called

    @property
    def name(self) -> str:
        """As the trace shows it."""
        return f"waypoint {self.gateway.meta.namespace}/{self.gateway.meta.name}"


class Binding(NamedTuple):
    """The waypoint of an object. With a `problem`, calls go straight to the pods.

    `known`: whether all that decides it was read. `gateway` is the one that the label names, where it exists.
    """

    known: bool
    use: Use | None = None
    gateway: Gateway | None = None
    problem: Problem | None = None
    canary: str | None = None
    """The name of a second waypoint that takes a share of the calls."""

    @property
    def bound(self) -> bool:
        """Whether calls take the detour."""
        return self.gateway is not None and self.problem is None


def binding(world: World, labels: Mapping[str, str], namespace: str, kind: Literal["service", "workload"]) -> Binding:
    """The waypoint of an object with labels. A label of its own is not replaced by the namespace's, even where it names nothing."""
    if kind == "service" and labels.get(_MANAGED, "") in (CONTROLLER.replace("/", "-"), "istio.io-eastwest-controller"):
        return Binding(True)
    own = labels.get(USE)
    owner: Meta | None = None
    holder = labels
    if own is None:
        known = world.namespace(namespace)
        if known.meta is None:
            return Binding(False)
        owner, holder, own = known.meta, known.labels, known.labels.get(USE)
    if own in (None, "", "none"):
        return Binding(True)
    use = Use(own, holder.get(USE_NAMESPACE) or namespace, owner)
    gateway = _gateways(world).get((use.namespace, use.name))
    if gateway is None:
        return Binding(world.complete("Gateway", namespace=use.namespace), use, None, "missing")
    if not _is_ready(world, gateway):
        return Binding(True, use, gateway, "not ready")
    if not _admits(world, gateway, namespace):
        return Binding(True, use, gateway, "not admitted")
    canary = holder.get(_CANARY) if kind == "service" else None
    return Binding(True, use, gateway, None if traffic(world, gateway) in (kind, "all") else "other traffic", canary or None)


def missing_fact(found: Binding, called: Called) -> str | None:
    """What is not known of the waypoint of what is called."""
    if not found.known:
        which = f"the waypoint `{found.use.namespace}/{found.use.name}`: the Gateway" if found.use else "the Namespace object"
        return f"whether calls to {called.ref} go through a waypoint: {which} is not in the input"
    if found.bound and found.canary is not None:
        return f"which waypoint takes the call to {called.ref}: a share of them goes to `{found.canary}`"
    return None


def detour_of(world: World, service: Service, port: int) -> Detour | None:
    """The waypoint that calls from ambient mode to a Service take; None where there is none, or where that is not known."""
    found = binding(world, service.meta.labels, service.namespace, "service")
    if service.headless or not found.bound or found.gateway is None:
        return None
    return Detour(found.gateway, Called(service.meta.ref, service.ports, port, service))


def may_detour(world: World, services: Iterable[Service], workloads: Iterable[Workload]) -> bool:
    """Whether a waypoint is asked for on the way to Services or pods, whatever comes of it."""
    return any(binding(world, s.meta.labels, s.namespace, "service").use is not None for s in services) or any(
        binding(world, w.pod_labels, w.namespace, "workload").use is not None for w in workloads
    )


def why_not(world: World, found: Binding) -> str | None:
    """Why a label that asks for a waypoint comes to nothing; None where it does not."""
    use, at = found.use, found.gateway
    if use is None or found.problem is None:
        return None
    if at is None:
        return f"`{USE}: {use.name}` names no Gateway of namespace {use.namespace}"
    if found.problem == "not ready":
        return "it has never been ready, and has no address"
    if found.problem == "not admitted":
        return "its listener does not admit the namespace (allowedRoutes)"
    return f"it is for `{traffic(world, at)}` (label `{SERVES}`)"


def from_gateways(world: World, service: Service) -> bool:
    """Whether gateways call a Service by its waypoint: its own label says so, or that of its namespace.

    Source: istio/istio:pilot/pkg/serviceregistry/ambient/services.go:ingressUseWaypoint.
    """
    if service.headless or not switched(world, GATEWAYS_USE_WAYPOINTS):
        return False
    own = service.meta.labels.get(INGRESS)
    said = own if own is not None else world.namespace_as_known(service.namespace).labels.get(INGRESS)
    return said in ("1", "t", "T", "true", "TRUE", "True")


def traffic(world: World, gateway: Gateway) -> str:
    """`service`, `workload`, `all` or `none`: which calls a waypoint takes."""
    found = class_of(world, gateway)
    return gateway.meta.labels.get(SERVES) or (found.meta.labels.get(SERVES) if found is not None else None) or "service"


def is_waypoint(world: World, gateway: Gateway) -> bool:
    """Whether Istio's own waypoint serves a Gateway."""
    return controller_of(world, gateway) == CONTROLLER


def pods_of(world: World, gateway: Gateway) -> tuple[Workload, ...]:
    """The pods of a waypoint. Where the input is no cluster's, istiod is taken to make them as it does.

    Source: istio/istio:manifests/charts/istio-control/istio-discovery/files/waypoint.yaml.
    """
    namespace, name = gateway.meta.namespace or "", gateway.meta.name
    found = tuple(w for w in world.workloads if w.namespace == namespace and w.pod_labels.get(GATEWAY_NAME) == name)
    there = tuple(w for w in found if w.kind != "Pod" or w.ready or not w.runs)
    if found or world.coverage is not None:
        return there

    def make() -> Workload:
        labels = {**gateway.meta.labels, **_LABELS, GATEWAY_NAME: name, CLASS_NAME: gateway.class_name}
        meta = Meta(ObjectRef("apps/v1", "Deployment", namespace, name), {}, {}, "", None)
        return Workload(meta, "Deployment", labels, {}, account(gateway), (), False, (), "", None, ("istio-proxy",))

    return (world.once(("waypoint's pods", gateway.meta.ref), make),)


def account(gateway: Gateway) -> str:
    """The service account of a waypoint. Source: istio/istio:pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go."""
    return gateway.meta.annotations.get(_ACCOUNT) or gateway.meta.name


def _is_ready(world: World, gateway: Gateway) -> bool:
    """Whether a waypoint has an address: it gets one when its pods are first ready, and keeps it. Of manifests it is taken for granted."""
    return gateway.ready if gateway.ready is not None else world.coverage is None


def _admits(world: World, gateway: Gateway, namespace: str) -> bool:
    """Whether the listener for HBONE lets a namespace use the waypoint; where there is none, only its own may."""
    found = next((each for each in gateway.listeners if each.protocol == "HBONE" and each.port == HBONE_PORT), None)
    if found is None:
        return namespace == gateway.meta.namespace
    if found.namespaces == "Selector" and world.namespace(namespace).meta is None:
        return True
    return namespace_allowed(world, found.namespaces, found.selector, gateway.meta.namespace, namespace)


def _gateways(world: World) -> dict[tuple[str, str], Gateway]:
    return world.once("gateways by name", lambda: {(g.meta.namespace, g.meta.name): g for g in world.inventory.of("Gateway")})
