"""What of an object matters to an answer: its metadata without the server's book-keeping, its spec, and of its status what is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from meshcheck.load.injection import without_bundles, without_templates

_META = ("name", "namespace", "labels", "annotations", "ownerReferences", "creationTimestamp", "deletionTimestamp")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def compact(value: Mapping[str, Any]) -> dict[str, Any]:
    """An object for a snapshot."""
    value = without_templates(without_bundles(value))
    meta = value.get("metadata") or {}
    kept = {key: meta[key] for key in _META if meta.get(key)}
    if "annotations" in kept:
        kept["annotations"] = {key: text for key, text in kept["annotations"].items() if key != _LAST_APPLIED}
    if isinstance(meta.get("uid"), str):
        kept["uid"] = ""  # that there is one says that an API server has admitted it; which one it is says nothing
    out = {key: item for key, item in value.items() if key not in ("metadata", "status")}
    out["metadata"] = kept
    trim = _STATUS.get(value["kind"])
    if trim is not None and isinstance(value.get("status"), dict) and (status := trim(value["status"])):
        out["status"] = status
    return out


def _pod(status: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: status[key] for key in ("phase", "podIP", "podIPs") if status.get(key)}
    ready = [{"type": "Ready", "status": c.get("status")} for c in status.get("conditions") or () if c.get("type") == "Ready"]
    return {**kept, **({"conditions": ready} if ready else {})}


def _only(*keys: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda status: {key: status[key] for key in keys if status.get(key)}


_CONTROLLER = _only("observedGeneration", "replicas", "readyReplicas")
_STATUS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "Pod": _pod,
    "Node": _only("addresses"),
    "Service": _only("loadBalancer"),
    "Ingress": _only("loadBalancer"),
    "Gateway": _only("addresses"),
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"), _CONTROLLER),
}
