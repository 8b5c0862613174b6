"""What of an object can matter to an answer. Heartbeats of nodes, counters of controllers and leases in annotations cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_STATUS = {
    "Pod": ("phase", "podIP", "podIPs"),
    "Node": ("addresses",),
    "Service": ("loadBalancer",),
    "Gateway": ("addresses",),
}
"""Kind → fields of its status that decoders and rules look at; a test holds them against the code."""
_RESTLESS = (
    "control-plane.alpha.kubernetes.io/leader",
    "deployment.kubernetes.io/revision",
    "endpoints.kubernetes.io/last-change-trigger-time",
)
_KEPT = ("name", "namespace", "uid", "labels", "annotations", "ownerReferences", "creationTimestamp", "deletionTimestamp")


def essence(value: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an object that is compared: when it is the same, nothing has to be evaluated again."""
    meta: Mapping[str, Any] = value.get("metadata") or {}
    kept = {name: meta[name] for name in _KEPT if meta.get(name)}
    if notes := kept.pop("annotations", None):
        kept |= {"annotations": lasting} if (lasting := {n: text for n, text in notes.items() if n not in _RESTLESS}) else {}
    out = {name: part for name, part in value.items() if name not in ("metadata", "status")}
    out["metadata"] = kept
    status = value.get("status")
    if isinstance(status, Mapping):
        out["status"] = _status(status, _STATUS.get(value.get("kind") or "", ()))
    return out


def _status(status: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """Of a status: some fields, whether a pod is ready, and whether a controller has seen the object at all."""
    ready = [c.get("status") for c in status.get("conditions") or () if c.get("type") == "Ready"] if "phase" in fields else []
    return {
        **{name: status[name] for name in fields if name in status},
        "conditions": [{"type": "Ready", "status": word} for word in ready],
        "observedGeneration": bool(status.get("observedGeneration")),
    }
