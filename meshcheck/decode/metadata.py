"""What all kinds share: metadata and label selectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.core import Requirement, Selector
from meshcheck.model.objects import Meta, ObjectRef, Origin, Path

CLUSTER_SCOPED = frozenset(
    [
        "Namespace",
        "Node",
        "ClusterRole",
        "ClusterRoleBinding",
        "AdminNetworkPolicy",
        "BaselineAdminNetworkPolicy",
        "ClusterNetworkPolicy",
        "CiliumClusterwideNetworkPolicy",
        "CiliumCIDRGroup",
        "GlobalNetworkPolicy",
        "GlobalNetworkSet",
        "Tier",
        "HostEndpoint",
        "FelixConfiguration",
        "TrafficPermission",
        "GatewayClass",
        "IngressClass",
        "CustomResourceDefinition",
        "PersistentVolume",
        "StorageClass",
        "PriorityClass",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
        "APIService",
    ]
)
"""Kinds without a namespace. Other clusters' kinds may be missing: they are not decoded."""


def decode_meta(value: Mapping[str, Any], origin: Origin | None, default_namespace: str = "default") -> Meta:
    """Metadata of an object; without a namespace it lands in the default one, as `kubectl apply` would put it.

    Raises ValueError where the name or the namespace is no text.
    """
    raw = value.get("metadata")
    meta: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
    kind = value["kind"]
    namespace = None if kind in CLUSTER_SCOPED else meta.get("namespace") or default_namespace
    name = meta.get("name") or f"{meta.get('generateName') or ''}"
    if not isinstance(name, str) or not (namespace is None or isinstance(namespace, str)):
        raise ValueError("its name or its namespace is no text")
    return Meta(
        ref=ObjectRef(value["apiVersion"], kind, namespace, name),
        labels=texts(meta.get("labels")),
        annotations=texts(meta.get("annotations")),
        created=str(meta.get("creationTimestamp") or ""),
        origin=origin,
    )


def texts(value: Any) -> Mapping[str, str]:
    """Labels or annotations. Values that are no texts, which the API server refuses, count as they are written."""
    if not isinstance(value, dict):
        return {}
    if all(isinstance(item, str) for item in value.values()):
        return value
    return {key: item if isinstance(item, str) else "" if item is None else str(item).lower() for key, item in value.items()}


def decode_selector(value: Mapping[str, Any] | None, field: Path) -> Selector:
    """A `LabelSelector`; None and `{}` select everything."""
    found = []
    for key, wanted in ((value or {}).get("matchLabels") or {}).items():
        found.append(Requirement(key, "In", ("" if wanted is None else wanted,), (*field, "matchLabels", key)))
    for n, item in enumerate((value or {}).get("matchExpressions") or ()):
        found.append(Requirement(item["key"], item["operator"], tuple(item.get("values") or ()), (*field, "matchExpressions", n)))
    return Selector(tuple(found))
