"""A policy selects the pods of a waypoint by label, which waypoints ignore.

## Finds

AuthorizationPolicies and RequestAuthentications whose `selector` holds the label that names a waypoint's Gateway.

## Why it matters

A waypoint applies policies that name it, or the Service, in `targetRefs`. One that selects its pods is accepted and enforced by nobody.

## Avoid

```yaml
spec:
  selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: wp}}
```

## Prefer

```yaml
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: wp}]
```

## Exceptions

None. An ingress gateway of Gateway API does look at selectors, and is left alone.

## Silent when

The Gateway, or its class, is not in the input.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.trace import Fix
from meshcheck.semantics.ambient.waypoints import is_waypoint
from meshcheck.semantics.attachment import GATEWAY_NAME


@rule("MC602", "selector-policy-at-waypoint", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Selectors of waypoints."""
    waypoints = {(g.meta.namespace, g.meta.name): g for g in evidence.of("Gateway") if is_waypoint(evidence.world, g)}
    for policy in (*evidence.of("AuthorizationPolicy"), *evidence.of("RequestAuthentication")):
        name = (policy.attachment.selector or {}).get(GATEWAY_NAME)
        gateway = waypoints.get((policy.meta.namespace, name))
        if gateway is not None:
            target = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name}]
            steps = ({"op": "remove", "path": "/spec/selector"}, {"op": "add", "path": "/spec/targetRefs", "value": target})
            fix = Fix(f"attach it to the Gateway `{name}` with targetRefs", ((policy.meta.ref, steps),), False)
            words = f"selects the pods of the waypoint `{name}`, and waypoints ignore selectors: name the Gateway in targetRefs"
            at = ("spec", "selector", "matchLabels", GATEWAY_NAME)
            yield found(policy.meta, at, words, ("the waypoint", gateway.meta, ("metadata", "name")), fix=fix)
