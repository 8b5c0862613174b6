"""What Istio's webhook refuses of what the API server would accept, one file per kind.

Source: istio/istio:pkg/config/validation/validation.go, virtualservice.go and agent/validation.go.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission.faults import Check, Faults, at

_FORBIDDEN = ("internal.istio.io/webhook-always-reject", "internal.istio.io/parents", "internal.istio.io/parent-namespace")
_DRY_RUN = "istio.io/dry-run"
BOOLEANS = frozenset(["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"])


def with_annotations(check: Check) -> Check:
    """The check of a kind, and of the annotations that Istio reads on every kind."""

    def checked(value: dict[str, Any]) -> Faults:
        noted = (value.get("metadata") or {}).get("annotations")
        return (_annotations(value, noted) if noted else None) or check(value)

    return checked


def _annotations(value: dict[str, Any], noted: dict[str, str]) -> Faults:
    for name in _FORBIDDEN:
        if name in noted:
            return at("is for Istio itself", "metadata", "annotations", name)
    if _DRY_RUN not in noted:
        return None
    where = ("metadata", "annotations", _DRY_RUN)
    if value["kind"] != "AuthorizationPolicy":
        return at("only AuthorizationPolicies have a dry run", *where)
    action = (value.get("spec") or {}).get("action", "ALLOW")
    if action not in ("ALLOW", "DENY"):
        return at(f"there is no dry run of action {action}", *where)
    return None if noted[_DRY_RUN] in BOOLEANS else at(f"`{noted[_DRY_RUN]}` is no boolean", *where)
