"""Whose calls ztunnel takes: those that a pod sends, those that arrive at it, and who speaks HBONE.

Sources: istio/istio:cni/pkg/util/enablement_selector.go:Matches, cni/pkg/iptables/iptables.go:AppendInpodRules, AppendHostRules;
pilot/pkg/serviceregistry/ambient/workloads.go:setTunnelProtocol.
"""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.semantics.world.sidecars import sidecar_of
from meshcheck.semantics.world.world import World

HBONE_PORT = 15008
"""On the wire every call over HBONE goes to this port of the pod, whatever port is called."""
BYPASS = "ambient.istio.io/bypass-inbound-capture"
_TUNNEL = "networking.istio.io/tunnel"


def sends_through(world: World, workload: Workload) -> bool:
    """Whether ztunnel takes the calls that a pod sends."""
    return sidecar_of(world, workload).ambient


def receives_through(world: World, workload: Workload) -> bool:
    """Whether ztunnel takes the calls that arrive at a pod, so that HBONE is spoken with it."""
    return sidecar_of(world, workload).ambient and workload.pod_annotations.get(BYPASS) != "true"


def sidecar_takes_hbone(world: World, workload: Workload) -> bool | None:
    """Whether a sidecar listens for HBONE: injected so where mesh config asks for it. None where it is not known.

    Source: istio/istio:manifests/charts/istio-control/istio-discovery/files/injection-template.yaml (the label).
    """
    pods = world.pods_under(workload) or (workload,)
    if any("http" in pod.pod_labels.get(_TUNNEL, "").split(",") for pod in pods):
        return True
    if any(pod.runs for pod in pods):
        return False
    if "ISTIO_META_ENABLE_HBONE" in workload.pod_annotations.get("proxy.istio.io/config", ""):
        return None
    return world.mesh.sidecars_take_hbone


def same_node(world: World, node: str, workload: Workload) -> bool | None:
    """Whether all pods of a workload run on a node; None where that is not known, or some do."""
    where = {pod.node for pod in world.pods_under(workload) or (workload,)}
    if not node or "" in where:
        return None
    return node in where if len(where) == 1 or node not in where else None
