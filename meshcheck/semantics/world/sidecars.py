"""Whether a workload's pods have a sidecar.

What pods that run really have goes first; of pods that are yet to come it is asked who would inject them (`injection.py`).

Sources: istio/istio:pkg/kube/inject/inject.go:injectRequired; istio/istio:cni/pkg/util/podutil.go:PodFullyEnrolled, podHasSidecar.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.core import Namespace, Workload
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.world.injection import INJECT, REVISION, injection_of, says
from meshcheck.semantics.world.world import World

_NEVER = frozenset(["kube-system", "kube-public", "kube-node-lease", "local-path-storage"])
_CAPTURED = "ambient.istio.io/redirection"


class Sidecar(NamedTuple):
    """`present` is None when it cannot be known; `why` says what decides, or which fact is missing.

    `shared`: what is not known is the same fact for all workloads of which this text is the same; `likely` is what is usual then.
    """

    present: bool | None
    why: str
    ambient: bool = False
    shared: str = ""
    likely: bool = True


def sidecar_of(world: World, workload: Workload) -> Sidecar:
    """Whether a workload's pods have a sidecar."""
    return world.once(("sidecar", id(workload)), lambda: _supposing(world, workload, _sidecar(world, workload)))


def _supposing(world: World, workload: Workload, found: Sidecar) -> Sidecar:
    """What a variant of the World supposes of it where it is not known."""
    if found.present is not None or found.shared not in world.assumed:
        return found
    has = world.assumed[found.shared]
    ambient = not has and is_ambient(workload.pod_labels, world.namespace_as_known(workload.namespace).labels)
    return Sidecar(has, f"supposing that pods of {_of_whom(workload, found)} have {'a' if has else 'no'} sidecar", ambient)


def _of_whom(workload: Workload, found: Sidecar) -> str:
    return f"namespace {workload.namespace}" if found.shared == workload.namespace else str(workload)


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
    if workload.kind == "Pod" and workload.pod_annotations.get(_CAPTURED) == "enabled":  # only ztunnel's helper on the node writes that
        return Sidecar(False, f"ztunnel has captured {workload} ({_CAPTURED})", True)
    known = world.namespace_as_known(namespace)
    if known.meta is None and not world.complete("Namespace", namespace=namespace):
        return _in_unknown_namespace(world, workload, known)
    return _yet_to_come(world, workload, known)


def _yet_to_come(world: World, workload: Workload, namespace: Namespace) -> Sidecar:
    """Of pods that nobody has created yet, in a namespace whose labels are known."""
    found, name = injection_of(world, workload, namespace), namespace.name
    if found.asked:
        return Sidecar(True, found.why)
    if _is_stated(world, name) and says(workload) != "false" and namespace.labels.get("istio-injection") != "disabled":
        return Sidecar(True, "stated with --sidecars")
    if found.asked is None:
        shared = f"{name}: {says(workload)} {workload.pod_labels.get(REVISION, '')}"  # pods that ask alike fare alike
        return Sidecar(None, found.why, shared=shared, likely=found.likely)
    if is_ambient(workload.pod_labels, namespace.labels):
        return Sidecar(False, f"namespace {name} is in ambient mode", True)
    return Sidecar(False, found.why)


def _in_unknown_namespace(world: World, workload: Workload, namespace: Namespace) -> Sidecar:
    """The labels of the namespace are not known: only what the pod says counts."""
    name = namespace.name
    ambient = is_ambient(workload.pod_labels, namespace.labels)
    if says(workload) == "false":
        return Sidecar(False, f"namespace {name} is in ambient mode" if ambient else "the pod has sidecar.istio.io/inject=false", ambient)
    if workload.pod_labels.get(INJECT) == "true" or REVISION in workload.pod_labels:
        return Sidecar(True, "the pod's labels ask for a sidecar")
    if _is_stated(world, name):
        return Sidecar(True, "stated with --sidecars")
    if ambient:
        return Sidecar(False, f"namespace {name} is in ambient mode", True)
    return Sidecar(
        None,
        f"whether pods of namespace {name} get a sidecar: the Namespace object is not in the input (give it, or say `--sidecars {name}`)",
        shared=name,
    )


def _is_stated(world: World, namespace: str) -> bool:
    return "*" in world.injected or namespace in world.injected


def _of_running_pods(world: World, workload: Workload) -> Sidecar | None:
    """What the pods that run really have; None where none runs. What labels ask for now counts for pods that are yet to come."""
    pods = world.pods_under(workload)
    if not pods:
        return None
    captured = [pod.pod_annotations.get(_CAPTURED) == "enabled" for pod in pods]
    injected = ["istio-proxy" in pod.containers for pod in pods]
    who = "the pod runs" if workload.kind == "Pod" else "its pods run"
    if all(injected):
        return Sidecar(True, f"{who} with the container istio-proxy")
    if any(injected):
        lacking = next(pod.name for pod, has in zip(pods, injected) if not has)
        fact = f"which pod of {workload} it is: some run with a sidecar, and {lacking} without"
        return Sidecar(None, fact, shared=f"{workload.namespace}/{workload.kind}/{workload.name}")
    if any(captured):
        return Sidecar(False, f"ztunnel has captured {workload} ({_CAPTURED})", True)
    return Sidecar(False, f"{who} without the container istio-proxy")


MODE = "istio.io/dataplane-mode"


def is_ambient(pod_labels: Mapping[str, str], namespace_labels: Mapping[str, str]) -> bool:
    """Whether labels ask for ambient mode; only `none` on the pod opts out of the namespace's mode.

    Source: istio/istio:cni/pkg/util/enablement_selector.go:Matches.
    """
    own = pod_labels.get(MODE)
    return own == "ambient" or (own != "none" and namespace_labels.get(MODE) == "ambient")
