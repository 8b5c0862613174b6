"""Which policies apply to a proxy. Source: istio/istio:pilot/pkg/model/policyattachment.go:ShouldAttachPolicy."""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.istio_security import Attachment

GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
_GATEWAY_GROUP = "gateway.networking.k8s.io"


def attaches(attachment: Attachment, policy_namespace: str, proxy_namespace: str, labels: Mapping[str, str], root_namespace: str) -> bool:
    """Whether a policy in scope (root or own namespace) applies to the sidecar or gateway pod with these labels."""
    if policy_namespace not in (proxy_namespace, root_namespace):
        return False
    if attachment.targets:
        gateway = labels.get(GATEWAY_NAME)
        if gateway is None or policy_namespace != proxy_namespace:
            return False  # sidecars and classic gateways ignore targets; only the gateway they name honours them
        return any(t.kind == "Gateway" and t.group == _GATEWAY_GROUP and t.name == gateway for t in attachment.targets)
    return selects(attachment.selector, labels)


def selects(selector: Mapping[str, str] | None, labels: Mapping[str, str]) -> bool:
    """Whether a `matchLabels` selector selects pods with these labels; none or an empty one selects all."""
    for key, value in (selector or {}).items():  # noqa: SIM110 asked for each pair of a policy and a pod: a generator costs more than the answer
        if labels.get(key) != value:
            return False
    return True
