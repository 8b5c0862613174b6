"""Who serves a Gateway: the controller of its class."""

from __future__ import annotations

from meshcheck.model.gateway_api import Gateway, GatewayClass
from meshcheck.semantics.world.world import World

ISTIO = "istio.io/gateway-controller"
ENVOY_GATEWAY = "gateway.envoyproxy.io/gatewayclass-controller"
BUILT_IN = {
    "istio": ISTIO,
    "istio-remote": "istio.io/unmanaged-gateway",
    "istio-waypoint": "istio.io/mesh-controller",
    "istio-east-west": "istio.io/eastwest-controller",
}
"""Classes that istiod makes by itself. Source: istio/istio:pilot/pkg/config/kube/gatewaycommon/gatewayclass.go."""


def class_of(world: World, gateway: Gateway) -> GatewayClass | None:
    """The GatewayClass object of a Gateway."""
    classes = world.once("gateway classes", lambda: {c.meta.name: c for c in world.inventory.of("GatewayClass")})
    return classes.get(gateway.class_name)


def controller_of(world: World, gateway: Gateway) -> str | None:
    """The controller that serves a Gateway; None when its class is not in the input."""
    found = class_of(world, gateway)
    return found.controller if found is not None else BUILT_IN.get(gateway.class_name)
