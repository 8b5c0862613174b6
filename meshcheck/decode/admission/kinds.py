"""Which kinds are known: the table that checks them, the versions that are served, and how their objects are named.

Kubernetes' own kinds as of 1.37; Gateway API 1.6 (standard channel); Istio 1.31; ClusterNetworkPolicy 0.2 and
AdminNetworkPolicy 0.1.7; Cilium 1.20.
"""

from __future__ import annotations

from importlib import import_module

from meshcheck.decode.admission import formats
from meshcheck.decode.admission.faults import Check, Format
from meshcheck.model.record import NamedTuple


class Kind(NamedTuple):
    """One kind. `module` holds the table; `webhook` is the file in `istiod/` that speaks for istiod."""

    module: str
    versions: tuple[str, ...]
    name: Format = formats.dns_subdomain
    namespaced: bool = True
    webhook: str | None = None
    older: bool = False
    """Installed with other versions, too, whose fields are not known here."""


_V1 = ("v1",)
_ISTIO = ("v1", "v1beta1", "v1alpha3")
_SECURITY = ("v1", "v1beta1")
_GATEWAY_API = ("v1", "v1beta1")
_RBAC = formats.path_segment
KINDS: dict[tuple[str, str], Kind] = {
    ("", "Namespace"): Kind("core", _V1, formats.dns_label, namespaced=False),
    ("", "Node"): Kind("core", _V1, namespaced=False),
    ("", "ConfigMap"): Kind("core", _V1),
    ("", "ServiceAccount"): Kind("core", _V1),
    ("", "Endpoints"): Kind("services", _V1),
    ("", "Service"): Kind("services", _V1, formats.dns_label),
    ("discovery.k8s.io", "EndpointSlice"): Kind("services", _V1),
    ("", "Pod"): Kind("pods", _V1),
    ("", "ReplicationController"): Kind("workloads", _V1),
    ("apps", "Deployment"): Kind("workloads", _V1),
    ("apps", "StatefulSet"): Kind("workloads", _V1, formats.dns_label),
    ("apps", "DaemonSet"): Kind("workloads", _V1),
    ("apps", "ReplicaSet"): Kind("workloads", _V1),
    ("batch", "Job"): Kind("workloads", _V1),
    ("batch", "CronJob"): Kind("workloads", _V1),
    ("networking.k8s.io", "NetworkPolicy"): Kind("network_policy", _V1),
    ("networking.k8s.io", "Ingress"): Kind("ingress", _V1),
    ("rbac.authorization.k8s.io", "Role"): Kind("rbac", _V1, _RBAC),
    ("rbac.authorization.k8s.io", "RoleBinding"): Kind("rbac", _V1, _RBAC),
    ("rbac.authorization.k8s.io", "ClusterRole"): Kind("rbac", _V1, _RBAC, namespaced=False),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): Kind("rbac", _V1, _RBAC, namespaced=False),
    ("policy.networking.k8s.io", "AdminNetworkPolicy"): Kind("admin_policy", ("v1alpha1",), namespaced=False),
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"): Kind("admin_policy", ("v1alpha1",), namespaced=False),
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"): Kind("admin_policy", ("v1alpha2",), namespaced=False),
    ("cilium.io", "CiliumNetworkPolicy"): Kind("cilium", ("v2",)),
    ("cilium.io", "CiliumClusterwideNetworkPolicy"): Kind("cilium", ("v2",), namespaced=False),
    ("cilium.io", "CiliumCIDRGroup"): Kind("cilium", ("v2", "v2alpha1"), namespaced=False),
    ("security.istio.io", "AuthorizationPolicy"): Kind("istio_security", _SECURITY, webhook="authorization"),
    ("security.istio.io", "RequestAuthentication"): Kind("istio_security", _SECURITY, webhook="authentication"),
    ("security.istio.io", "PeerAuthentication"): Kind("istio_security", _SECURITY, webhook="authentication"),
    ("networking.istio.io", "VirtualService"): Kind("istio_networking", _ISTIO, webhook="virtual_service"),
    ("networking.istio.io", "DestinationRule"): Kind("istio_networking", _ISTIO, webhook="destination_rule"),
    ("networking.istio.io", "Gateway"): Kind("istio_networking", _ISTIO, webhook="gateway"),
    ("networking.istio.io", "Sidecar"): Kind("istio_networking", _ISTIO, webhook="sidecar"),
    ("networking.istio.io", "ServiceEntry"): Kind("istio_networking", _ISTIO, webhook="service_entry"),
    ("networking.istio.io", "WorkloadEntry"): Kind("istio_networking", _ISTIO, webhook="service_entry"),
    ("networking.istio.io", "WorkloadGroup"): Kind("istio_networking", _ISTIO, webhook="service_entry"),
    ("gateway.networking.k8s.io", "GatewayClass"): Kind("gateway_api", _GATEWAY_API, namespaced=False),
    ("gateway.networking.k8s.io", "Gateway"): Kind("gateway_api", _GATEWAY_API),
    ("gateway.networking.k8s.io", "HTTPRoute"): Kind("gateway_api", _GATEWAY_API),
    ("gateway.networking.k8s.io", "ReferenceGrant"): Kind("gateway_api", _GATEWAY_API),
    ("gateway.networking.k8s.io", "GRPCRoute"): Kind("gateway_api", _V1),
    ("gateway.networking.k8s.io", "TCPRoute"): Kind("gateway_api", _V1, older=True),
    ("gateway.networking.k8s.io", "TLSRoute"): Kind("gateway_api", _V1, older=True),
    ("gateway.networking.k8s.io", "ListenerSet"): Kind("gateway_api", _V1, older=True),
    ("gateway.networking.k8s.io", "BackendTLSPolicy"): Kind("gateway_api", _V1, older=True),
}
_NAMES = frozenset(kind for _, kind in KINDS)
_CUSTOM = frozenset(["policy.networking.k8s.io", "gateway.networking.k8s.io"])
_BUILT_IN = frozenset(
    ["", "apps", "batch", "extensions", "policy", "autoscaling", *(g for g, _ in KINDS if g.endswith(".k8s.io") and g not in _CUSTOM)]
)
"""Groups of which every kind is Kubernetes' own: a kind that is not there is nobody's."""


class Served(NamedTuple):
    """What is done with objects of one kind and version."""

    kind: Kind
    check: Check
    webhook: Check | None


_served: dict[tuple[str, str], Served | str | None] = {}


def find(api_version: str, name: str) -> Served | str | None:
    """How a kind is checked; a text when no API server knows it; None when it may be somebody's own kind."""
    key = api_version, name
    if key not in _served:
        _served[key] = _find(*key)
    return _served[key]


def _find(api_version: str, name: str) -> Served | str | None:
    group, _, version = api_version.rpartition("/")
    kind = KINDS.get((group, name))
    if kind is None:
        if name in _NAMES and group in _BUILT_IN:
            return f"no kind `{name}` in `{api_version}`; it is in {' or '.join(sorted(_written(g, n) for g, n in KINDS if n == name))}"
        return None
    if version not in kind.versions:
        if kind.older:
            return None
        return f"no kind `{name}` in version `{api_version}`; use {_written(group, name)}"
    table = import_module(f"meshcheck.decode.admission.{kind.module}").KINDS
    webhook = None
    if kind.webhook:
        speaker = import_module(f"meshcheck.decode.admission.istiod.{kind.webhook}")
        webhook = import_module("meshcheck.decode.admission.istiod").with_annotations(speaker.CHECKS[name])
    return Served(kind, table.check(name), webhook)


def _written(group: str, name: str) -> str:
    version = KINDS[group, name].versions[0]
    return f"`{group}/{version}`" if group else f"`{version}`"
