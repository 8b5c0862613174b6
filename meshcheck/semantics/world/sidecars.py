"""Whether a workload's pods have a sidecar.

Source: istio/istio:pkg/kube/inject/inject.go:injectRequired; manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.core import Workload
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.world.world import World

_NEVER = frozenset(["kube-system", "kube-public", "kube-node-lease", "local-path-storage"])


class Sidecar(NamedTuple):
    """`present` is None when it cannot be known; `why` says what decides, or which fact is missing."""

    present: bool | None
    why: str
    ambient: bool = False


def sidecar_of(world: World, workload: Workload) -> Sidecar:
    """Whether a workload's pods have a sidecar."""
    return world.once(("sidecar", id(workload)), lambda: _sidecar(world, workload))


def _sidecar(world: World, workload: Workload) -> Sidecar:
    namespace = workload.namespace
    if "istio-proxy" in workload.containers:
        return Sidecar(True, "the pod has the container istio-proxy")
    if workload.kind == "WorkloadEntry":
        return Sidecar(True, "a WorkloadEntry stands for a machine with a proxy")
    if workload.host_network:
        return Sidecar(False, "pods in the host's network get no sidecar")
    if namespace in _NEVER:
        return Sidecar(False, f"namespace {namespace} is never injected")
    real = _of_running_pods(world, workload)
    if real is not None:
        return real
    known = world.namespace_as_known(namespace)
    labels = known.labels
    on_pod = workload.pod_labels.get("sidecar.istio.io/inject") or workload.pod_annotations.get("sidecar.istio.io/inject")
    ambient = is_ambient(workload.pod_labels, labels)
    refused = f"namespace {namespace} has the label istio-injection=disabled" if labels.get("istio-injection") == "disabled" else None
    refused = refused or ("the pod has sidecar.istio.io/inject=false" if on_pod == "false" else None)
    if refused is not None:
        return Sidecar(False, f"namespace {namespace} is in ambient mode" if ambient else refused, ambient)
    if labels.get("istio-injection") == "enabled":
        return Sidecar(True, f"namespace {namespace} has the label istio-injection=enabled")
    if "istio.io/rev" in labels:
        return Sidecar(True, f"namespace {namespace} has the label istio.io/rev={labels['istio.io/rev']}")
    if workload.pod_labels.get("sidecar.istio.io/inject") == "true" or "istio.io/rev" in workload.pod_labels:
        return Sidecar(True, "the pod's labels ask for a sidecar")
    if "*" in world.injected or namespace in world.injected:
        return Sidecar(True, "stated with --sidecars")
    if ambient:
        return Sidecar(False, f"namespace {namespace} is in ambient mode", True)
    if namespace in world.assumed:
        return Sidecar(
            world.assumed[namespace],
            f"supposing that pods of namespace {namespace} have {'a' if world.assumed[namespace] else 'no'} sidecar",
        )
    if known.meta is None and not world.complete("Namespace", namespace=namespace):
        return Sidecar(
            None,
            f"whether pods of namespace {namespace} get a sidecar: the Namespace object is not in the input"
            f" (give it, or say `--sidecars {namespace}`)",
        )
    return Sidecar(False, f"nothing asks for a sidecar in namespace {namespace}")


def _of_running_pods(world: World, workload: Workload) -> Sidecar | None:
    """What the pods that run really have; None where none runs. What labels ask for now counts for pods that are yet to come."""
    pods = world.pods_under(workload)
    if not pods:
        return None
    captured = [pod.pod_annotations.get("ambient.istio.io/redirection") == "enabled" for pod in pods]
    injected = ["istio-proxy" in pod.containers for pod in pods]
    who = "the pod runs" if workload.kind == "Pod" else "its pods run"
    if all(injected):
        return Sidecar(True, f"{who} with the container istio-proxy")
    if any(injected):
        lacking = next(pod.name for pod, has in zip(pods, injected) if not has)
        return Sidecar(None, f"which pod of {workload} it is: some run with a sidecar, and {lacking} without")
    if any(captured):
        return Sidecar(False, f"ztunnel has captured {workload} (ambient.istio.io/redirection)", True)
    return Sidecar(False, f"{who} without the container istio-proxy")


MODE = "istio.io/dataplane-mode"


def is_ambient(pod_labels: Mapping[str, str], namespace_labels: Mapping[str, str]) -> bool:
    """Whether labels ask for ambient mode; only `none` on the pod opts out of the namespace's mode.

    Source: istio/istio:cni/pkg/util/enablement_selector.go:Matches.
    """
    own = pod_labels.get(MODE)
    return own == "ambient" or (own != "none" and namespace_labels.get(MODE) == "ambient")
