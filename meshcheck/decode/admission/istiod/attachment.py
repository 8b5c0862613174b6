"""To what security policies attach: `selector`, `targetRef`, `targetRefs`.

Source: istio/istio:pkg/config/validation/validation.go:validatePolicyTargetReference, validateWorkloadSelector.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission.faults import Faults, at, below
from meshcheck.decode.admission.istiod.names import selector
from meshcheck.decode.admission.words import shown

_TARGETS = frozenset(
    [
        ("", "Service"),
        ("core", "Service"),
        ("networking.istio.io", "ServiceEntry"),
        ("gateway.networking.k8s.io", "Gateway"),
        ("gateway.networking.k8s.io", "GatewayClass"),
    ]
)


def attachment(spec: dict[str, Any]) -> Faults:
    """At most one of the three, and a kind of target that policies can have."""
    refs = [("targetRef",), *(("targetRefs", number) for number in range(len(spec.get("targetRefs") or ())))]
    for path in refs:
        target = spec.get("targetRef") if path == ("targetRef",) else spec["targetRefs"][path[1]]
        if target is not None and (target.get("group") or "", target["kind"]) not in _TARGETS:
            written = f"{target['kind']} in group `{shown(target.get('group') or '')}`"
            return at(f"a policy cannot target {written}; Service, ServiceEntry, Gateway and GatewayClass are possible", *path)
    return below(selector(spec.get("selector"), "matchLabels"), "selector") or None
