"""Which pods are gateways of Istio, and which Gateways they serve.

Source: istio/istio:pilot/pkg/model/push_context.go:mergeGateways; manifests/charts/gateway.
"""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.istio_gateway import Gateway
from meshcheck.semantics.attachment import GATEWAY_NAME, selects
from meshcheck.semantics.world.control_plane import OWN_GATEWAYS, switched
from meshcheck.semantics.world.world import World


def is_gateway(workload: Workload) -> bool:
    """Whether a pod's proxy is a gateway: nothing but a proxy runs in it."""
    if workload.containers == ("istio-proxy",) or GATEWAY_NAME in workload.pod_labels:
        return True
    templates = workload.pod_annotations.get("inject.istio.io/templates")
    return templates is not None and "gateway" in [name.strip() for name in templates.split(",")]


def gateways_of(world: World, workload: Workload) -> tuple[Gateway, ...]:
    """The Gateways whose selector selects a gateway's pods, in any namespace unless istiod is told otherwise; the oldest first."""

    def find() -> tuple[Gateway, ...]:
        every: tuple[Gateway, ...] = world.inventory.of("IstioGateway")
        found = [g for g in every if _serves(world, g, workload)]
        return tuple(sorted(found, key=lambda g: (g.meta.created or "9999", g.meta.name, g.meta.namespace)))

    return world.once(("gateways of", id(workload)), find)


def gateway_pods(world: World, gateway: Gateway) -> tuple[Workload, ...]:
    """The gateway pods that a Gateway selects."""
    every: tuple[Workload, ...] = world.once("gateway pods", lambda: tuple(w for w in world.workloads if is_gateway(w)))
    return tuple(w for w in every if _serves(world, gateway, w))


def _serves(world: World, gateway: Gateway, workload: Workload) -> bool:
    if not gateway.selector or not selects(gateway.selector, workload.pod_labels):
        return False
    return gateway.meta.namespace == workload.namespace or not switched(world, OWN_GATEWAYS)
