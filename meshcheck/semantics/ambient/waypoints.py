"""Which waypoint a Service, ServiceEntry or pod uses.

Source: istio/istio:pilot/pkg/serviceregistry/ambient/waypoints.go:GetUseWaypoint, fetchWaypointForTarget, makeAllowedRoutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from meshcheck.model.gateway_api import Gateway
from meshcheck.model.objects import Meta
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.gateway_api.classes import class_of, controller_of
from meshcheck.semantics.gateway_api.listeners import namespace_allowed
from meshcheck.semantics.world import World

USE = "istio.io/use-waypoint"
USE_NAMESPACE = "istio.io/use-waypoint-namespace"
SERVES = "istio.io/waypoint-for"
CONTROLLER = "istio.io/mesh-controller"
_ACCOUNT = "gateway.istio.io/service-account"
_MANAGED = "gateway.istio.io/managed"
Problem = Literal["missing", "not admitted", "other traffic"]


class Use(NamedTuple):
    """A label that asks for a waypoint. `owner` is a Namespace, or None for the object itself."""

    name: str
    namespace: str
    owner: Meta | None


class Binding(NamedTuple):
    """The waypoint of an object. With a `problem`, calls go straight to the pods.

    `known`: whether all that decides it was read. `gateway` is the one that the label names, where it exists.
    """

    known: bool
    use: Use | None = None
    gateway: Gateway | None = None
    problem: Problem | None = None

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
    if not _admits(world, gateway, namespace):
        return Binding(True, use, gateway, "not admitted")
    return Binding(True, use, gateway, None if traffic(world, gateway) in (kind, "all") else "other traffic")


def traffic(world: World, gateway: Gateway) -> str:
    """`service`, `workload`, `all` or `none`: which calls a waypoint takes."""
    found = class_of(world, gateway)
    return gateway.meta.labels.get(SERVES) or (found.meta.labels.get(SERVES) if found is not None else None) or "service"


def is_waypoint(world: World, gateway: Gateway) -> bool:
    """Whether Istio's own waypoint serves a Gateway."""
    return controller_of(world, gateway) == CONTROLLER


def account(gateway: Gateway) -> str:
    """The service account of a waypoint. Source: istio/istio:pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go."""
    return gateway.meta.annotations.get(_ACCOUNT) or gateway.meta.name


def _admits(world: World, gateway: Gateway, namespace: str) -> bool:
    """Whether the listener for HBONE lets a namespace use the waypoint; where there is none, nothing speaks against it."""
    found = next((each for each in gateway.listeners if each.protocol == "HBONE"), None)
    if found is None:
        return True
    if found.namespaces == "Selector" and world.namespace(namespace).meta is None:
        return True
    return namespace_allowed(world, found.namespaces, found.selector, gateway.meta.namespace, namespace)


def _gateways(world: World) -> dict[tuple[str, str], Gateway]:
    return world.once("gateways by name", lambda: {(g.meta.namespace, g.meta.name): g for g in world.inventory.of("Gateway")})
