"""Which decoder a kind has; decoders are imported when their kind is met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from meshcheck.model.foreign_policies import foreign_kinds

_CORE = {
    "Namespace": "decode_namespace", "Node": "decode_node",
    "Pod": "decode_pod", "Service": "decode_service", "Endpoints": "decode_endpoints",
    "ServiceAccount": "decode_service_account", "ReplicationController": "decode_controller",
    "Secret": "decode_secret",
}  # fmt: skip
_TEMPLATES_OF_OTHERS = (
    ("argoproj.io", "Rollout"),
    ("apps.openshift.io", "DeploymentConfig"),
    ("kubevirt.io", "VirtualMachine"),
    ("apps.kruise.io", "CloneSet"),
)
"""Kinds of other projects that have their pod template where Deployments have it."""
_GATEWAY_API = "gateway.networking.k8s.io"
_DECODERS: dict[tuple[str, str], tuple[str, str]] = {
    **{("", kind): ("core", function) for kind, function in _CORE.items()},
    **{("apps", kind): ("core", "decode_controller") for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")},
    **{("extensions", kind): ("core", "decode_controller") for kind in ("Deployment", "DaemonSet", "ReplicaSet")},
    **dict.fromkeys(_TEMPLATES_OF_OTHERS, ("core", "decode_controller")),
    **{("batch", kind): ("core", "decode_controller") for kind in ("Job", "CronJob")},
    ("discovery.k8s.io", "EndpointSlice"): ("core", "decode_endpoints"),
    ("networking.k8s.io", "NetworkPolicy"): ("network_policy", "decode"),
    ("networking.k8s.io", "Ingress"): ("ingress", "decode_ingress"),
    ("networking.k8s.io", "IngressClass"): ("ingress", "decode_ingress_class"),
    **{
        ("policy.networking.k8s.io", kind): ("network_policy", "decode")
        for kind in ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
    },
    ("networking.istio.io", "EnvoyFilter"): ("istio_networking", "decode_envoy_filter"),
    **{("extensions.istio.io", kind): ("istio_networking", "decode_plugin") for kind in ("WasmPlugin", "TrafficExtension")},
    ("networking.istio.io", "Gateway"): ("istio_gateway", "decode_gateway"),
    **{(_GATEWAY_API, f"{protocol}Route"): ("gateway_api", "decode_route") for protocol in ("HTTP", "GRPC", "TLS", "TCP", "UDP")},
    (_GATEWAY_API, "GatewayClass"): ("gateway_api", "decode_gateway_class"),
    (_GATEWAY_API, "Gateway"): ("gateway_api", "decode_gateway"),
    (_GATEWAY_API, "ListenerSet"): ("gateway_api", "decode_listener_set"),
    ("gateway.networking.x-k8s.io", "XListenerSet"): ("gateway_api", "decode_listener_set"),
    (_GATEWAY_API, "ReferenceGrant"): ("gateway_api", "decode_reference_grant"),
    (_GATEWAY_API, "BackendTLSPolicy"): ("gateway_api", "decode_backend_tls_policy"),
    **{
        ("gateway.envoyproxy.io", kind): ("envoy_gateway", "decode_policy")
        for kind in ("SecurityPolicy", "ClientTrafficPolicy", "BackendTrafficPolicy", "EnvoyExtensionPolicy", "EnvoyPatchPolicy")
    },
    **{
        (group, kind): ("foreign", "decode_foreign")
        for group, kinds in (
            ("traefik.io", ("IngressRoute", "Middleware")),
            ("traefik.containo.us", ("IngressRoute", "Middleware")),
            ("configuration.konghq.com", ("KongPlugin", "KongClusterPlugin")),
            ("projectcontour.io", ("HTTPProxy",)),
            ("cloud.google.com", ("BackendConfig",)),
        )
        for kind in kinds
    },
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): ("injection", "decode_webhooks"),
    **{(kind.group, kind.kind): ("foreign", "decode_foreign") for kind in foreign_kinds()},
    ("cilium.io", "CiliumNetworkPolicy"): ("cilium", "decode_policy"),
    ("cilium.io", "CiliumClusterwideNetworkPolicy"): ("cilium", "decode_policy"),
    ("cilium.io", "CiliumCIDRGroup"): ("cilium", "decode_cidr_group"),
    **{
        (group, kind): ("calico", function)
        for group in ("projectcalico.org", "crd.projectcalico.org")
        for kind, function in (
            ("NetworkPolicy", "decode_policy"),
            ("GlobalNetworkPolicy", "decode_policy"),
            ("Tier", "decode_tier"),
            ("NetworkSet", "decode_network_set"),
            ("GlobalNetworkSet", "decode_network_set"),
        )
    },
    ("security.istio.io", "AuthorizationPolicy"): ("istio_security", "decode_authorization_policy"),
    ("security.istio.io", "RequestAuthentication"): ("istio_security", "decode_request_authentication"),
    ("security.istio.io", "PeerAuthentication"): ("istio_security", "decode_peer_authentication"),
    **{
        ("networking.istio.io", kind): ("istio_networking", "decode_" + "".join("_" + c.lower() if c.isupper() else c for c in kind)[1:])
        for kind in ("DestinationRule", "Sidecar", "ServiceEntry", "WorkloadEntry", "VirtualService")
    },
}
_CONTROLLERS = frozenset(kind for (_, kind), (_, function) in _DECODERS.items() if function == "decode_controller")
_WORKLOADS = _CONTROLLERS | {"Pod", "WorkloadEntry"}
_loaded: dict[tuple[str, str], Callable[..., Any]] = {}


def decoder_of(api_version: str, kind: str) -> Callable[[Mapping[str, Any], Any], Any] | None:
    """The decoder of a kind: a function of its value and its metadata; None for kinds that do not matter."""
    group = api_version.rpartition("/")[0]
    key = group, kind
    if key not in _DECODERS:
        return None
    if key not in _loaded:
        module, function = _DECODERS[key]
        _loaded[key] = getattr(import_module(f"meshcheck.decode.{module}"), function)
    return _loaded[key]


def decoded_kinds() -> tuple[tuple[str, str], ...]:
    """(group, kind) of all kinds that have a decoder."""
    return tuple(_DECODERS)


_BUCKETS = {
    ("discovery.k8s.io", "EndpointSlice"): "Endpoints",
    ("networking.istio.io", "Gateway"): "IstioGateway",
    ("gateway.networking.x-k8s.io", "XListenerSet"): "ListenerSet",
    **{(kind.group, kind.kind): kind.heading for kind in foreign_kinds()},
}


def bucket_of(api_version: str, kind: str) -> str:
    """The heading under which an object is kept: pods and their controllers share one; kinds of one name that
    different projects have do not.
    """
    return "Workload" if kind in _WORKLOADS else _BUCKETS.get((api_version.rpartition("/")[0], kind), kind)


def headings_of(kind: str) -> frozenset[str]:
    """The headings under which objects of a kind may be kept, whatever group it is of; the kind itself where it has no decoder."""
    return _headings().get(kind) or frozenset([kind])


@cache
def _headings() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for group, kind in _DECODERS:
        found[kind] = found.get(kind, frozenset()) | {bucket_of(f"{group}/v1", kind)}
    return found
