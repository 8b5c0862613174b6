"""Whose calls a change of objects may touch: the rest need not be asked about.

Errs on the side of asking: what is not known here touches everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from meshcheck.analyse.changed_objects import ObjectChange
from meshcheck.decode.registry import bucket_of
from meshcheck.model.core import Workload
from meshcheck.model.foreign_policies import foreign_headings
from meshcheck.model.istio_networking import EXTENSIONS
from meshcheck.model.network_policy import EGRESS, INGRESS
from meshcheck.model.objects import ObjectRef
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.ambient.waypoints import is_waypoint, pods_of
from meshcheck.semantics.attachment import GATEWAY_NAME, attaches, selects
from meshcheck.semantics.gateway_api.classes import controller_of
from meshcheck.semantics.world import World
from meshcheck.semantics.world.control_plane import CONTAINER

Name = tuple[str, str]
"""Namespace, and name of a Service or `Kind/name` of a workload."""

_OF_SERVERS = ("AuthorizationPolicy", "RequestAuthentication")
_OF_PODS = ("PeerAuthentication", *EXTENSIONS)
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Pod", "WorkloadEntry")
_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
_OF_EVERYBODY = ("kube-system", "openshift-dns")
"""Namespaces of the cluster's DNS, which every caller asks."""
_OUTSIDE = frozenset(
    (
        *("Gateway", "GatewayClass", "ListenerSet", "XListenerSet", "Ingress", "IngressClass", "BackendTLSPolicy", "SecurityPolicy"),
        *("ClientTrafficPolicy", "BackendTrafficPolicy", "EnvoyExtensionPolicy", "EnvoyPatchPolicy", "IngressRoute", "Middleware"),
        *("KongPlugin", "KongClusterPlugin", "HTTPProxy", "BackendConfig"),
    )
)
"""Kinds that only ways from outside pass by."""
_NOTHING = frozenset(
    (
        *("ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "CustomResourceDefinition", "PodMonitor"),
        *("HorizontalPodAutoscaler", "PodDisruptionBudget", "PersistentVolumeClaim", "PersistentVolume", "StorageClass"),
        *("ServiceMonitor", "Telemetry"),
    )
)
"""Kinds that no call depends on."""


class Affected(NamedTuple):
    """What may change. `callers` and `targets` are workloads, `services` are called by name; None stands for all.

    `wired_callers` and `wired_targets` are touched by network policies only: their calls change where what policies say to them does.
    `outside`: ways from outside change by themselves, not only where they lead.
    """

    callers: frozenset[Name] | None = frozenset()
    targets: frozenset[Name] | None = frozenset()
    services: frozenset[Name] | None = frozenset()
    wired_callers: frozenset[Name] = frozenset()
    wired_targets: frozenset[Name] = frozenset()
    outside: bool = False


EVERYTHING = Affected(None, None, None, outside=True)


def affected(worlds: tuple[World, World], changes: Iterable[ObjectChange]) -> Affected:
    """Whose calls the changes may touch, in either World."""
    found = Affected()
    for change in changes:
        if change.ref.kind not in _NOTHING:
            for world in worlds:
                found = _both(found, _of(world, change.ref))
    return found


def _both(one: Affected, other: Affected) -> Affected:
    callers, targets, services = (None if a is None or b is None else a | b for a, b in zip(one[:3], other[:3]))
    wired_callers, wired_targets = one.wired_callers | other.wired_callers, one.wired_targets | other.wired_targets
    return Affected(callers, targets, services, wired_callers, wired_targets, one.outside or other.outside)


def _of(world: World, ref: ObjectRef) -> Affected:
    """Whose calls one object touches in one World."""
    kind, namespace = ref.kind, ref.namespace or "default"
    foreign = foreign_headings().get(bucket_of(ref.api_version, kind))
    if foreign is not None:
        if foreign.everywhere or not foreign.namespaced or namespace in _OF_EVERYBODY:
            return EVERYTHING
        pods = frozenset(map(_name, world.workloads_in(namespace)))
        return Affected(pods, pods)
    one = _find(world, ref)
    if _is_about_waypoints(world, ref, namespace, one):
        return EVERYTHING
    if kind in _OUTSIDE:
        return Affected(outside=True)
    if namespace in _OF_EVERYBODY and kind in ("NetworkPolicy", *_WORKLOADS):
        return EVERYTHING
    if kind == "Namespace":
        inside = frozenset(map(_name, world.workloads_in(ref.name)))
        return Affected(inside, inside, frozenset((s.namespace, s.name) for s in world.services_in(ref.name)), outside=True)
    if kind in _WORKLOADS:
        found = world.find_workload(namespace, f"{kind}/{ref.name}")
        if found is not None and CONTAINER in found.containers:
            return EVERYTHING  # istiod: its version and its variables
        both = frozenset([_name(found)] if found is not None else ())
        return Affected(both, both)
    if kind == "Service":
        return Affected(services=frozenset([(namespace, ref.name)]), outside=True)
    if kind in ("ConfigMap", "Secret") and not _is_mesh_config(ref):
        mounting = frozenset(_name(w) for w in world.workloads_in(namespace) if ref.name in str(w.pod.get("volumes", "")))
        return Affected(targets=mounting, outside=True)
    if one is None:
        decoded = kind in (
            *_OF_SERVERS,
            *_OF_PODS,
            *_ROUTES,
            "NetworkPolicy",
            "Sidecar",
            "VirtualService",
            "DestinationRule",
            "ServiceEntry",
        )
        return Affected() if decoded else EVERYTHING
    if kind in _OF_SERVERS:
        return Affected(targets=_attached(world, one))
    if kind in _OF_PODS:
        pods = _selected(world, one, namespace)
        return Affected(pods, pods)
    if kind == "NetworkPolicy":
        pods = frozenset(_name(w) for w in world.workloads_in(namespace) if one.pods.matches(w.pod_labels))
        none: frozenset[Name] = frozenset()
        sending, receiving = (pods if direction in one.directions else none for direction in (EGRESS, INGRESS))
        return Affected(wired_callers=sending, wired_targets=receiving)
    if kind == "Sidecar":
        return Affected(callers=_selected(world, one, namespace))
    if kind in ("VirtualService", "DestinationRule", "ServiceEntry"):
        return Affected(services=_services(one), outside=True)
    if kind in _ROUTES:
        named = frozenset((p.namespace or namespace, p.name) for p in one.parents if p.kind in ("Service", "ServiceEntry"))
        return Affected(services=named, outside=True)
    return EVERYTHING


def _is_about_waypoints(world: World, ref: ObjectRef, namespace: str, one: Any) -> bool:
    """Whether an object is a waypoint, or about one: which calls take it is asked of nobody here."""
    kind = ref.kind
    gateways = world.once("waypoints", lambda: tuple(g for g in world.inventory.of("Gateway") if is_waypoint(world, g)))
    if kind == "Gateway" and one is not None and hasattr(one, "class_name"):
        return one in gateways or controller_of(world, one) is None
    if not gateways:
        return False
    if kind == "GatewayClass":
        return True
    if kind in (*_OF_SERVERS, *_OF_PODS[1:]) and one is not None:
        return bool(one.attachment.targets)
    pods = [pod for gateway in gateways if gateway.meta.namespace == namespace for pod in pods_of(world, gateway)]
    if kind == "NetworkPolicy" and one is not None:
        return any(one.pods.matches(pod.pod_labels) for pod in pods)
    found = world.find_workload(namespace, f"{kind}/{ref.name}") if kind in _WORKLOADS else None
    return found is not None and GATEWAY_NAME in found.pod_labels


def _name(workload: Workload) -> Name:
    return workload.namespace, f"{workload.kind}/{workload.name}"


def _is_mesh_config(ref: ObjectRef) -> bool:
    return ref.name == "istio" or ref.name.startswith("istio-")


def _find(world: World, ref: ObjectRef) -> Any:
    """The decoded object, where the World has it."""
    table: Mapping[tuple[str, str, str], Any] = world.once(("objects by name", ref.kind), lambda: _by_name(world, ref.kind))
    return table.get((ref.kind, ref.namespace or "default", ref.name))


def _by_name(world: World, kind: str) -> dict[tuple[str, str, str], Any]:
    return {(kind, o.meta.namespace, o.meta.name): o for o in world.inventory.of(kind) if hasattr(o, "meta")}


def _attached(world: World, policy: Any) -> frozenset[Name]:
    """Workloads that a policy applies to."""
    root, namespace = world.mesh.root_namespace, policy.meta.namespace
    scope = world.workloads if namespace == root else world.workloads_in(namespace)
    return frozenset(_name(w) for w in scope if attaches(policy.attachment, namespace, w.namespace, w.pod_labels, root))


def _selected(world: World, policy: Any, namespace: str) -> frozenset[Name]:
    """Workloads that a selector selects in its scope."""
    scope = world.workloads if namespace == world.mesh.root_namespace else world.workloads_in(namespace)
    return frozenset(_name(w) for w in scope if not policy.selector or selects(policy.selector, w.pod_labels))


def _services(one: Any) -> frozenset[Name] | None:
    """Services, and hosts outside (without a namespace), that the hosts of an object name; None where a host stands for many."""
    hosts = one.hosts if hasattr(one, "hosts") else (one.host,)
    out: set[Name] = set()
    for host in hosts:
        parts = host.split(".")
        if "*" in host:
            return None
        out |= {("", host), (one.meta.namespace, parts[0]) if len(parts) == 1 else (parts[1], parts[0])}
    return frozenset(out)
