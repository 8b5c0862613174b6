"""A policy is attached to a Service that no waypoint stands before, so it is not enforced at all.

## Finds

AuthorizationPolicies and RequestAuthentications that name a Service or ServiceEntry in `targetRefs`, where nothing leads its calls to a
waypoint: there is no label `istio.io/use-waypoint`, the label names a Gateway that does not exist, the waypoint does not admit the
namespace, or it takes calls to pods only.

## Why it matters

Only a waypoint applies policies of Services. Without one calls go straight to the pods: what the policy denies passes, what its tokens
demand is not asked for. Istio fails open here.

## Avoid

```yaml
kind: Service
metadata: {name: cart, labels: {istio.io/use-waypoint: waypiont}}    # the Gateway is `waypoint`
---
kind: AuthorizationPolicy
spec: {targetRefs: [{group: "", kind: Service, name: cart}]}
```

## Prefer

```yaml
kind: Service
metadata: {name: cart, labels: {istio.io/use-waypoint: waypoint}}
```

## Exceptions

A label that `istioctl waypoint apply --enroll-namespace` sets and that no manifest holds. (A label on the Service hides that of its
namespace, even where it names nothing.)

## Silent when

The world is open; the Namespace of a Service without a label of its own was not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshcheck.lint.ambient import target_path, waypoint_of
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.trace import Fix
from meshcheck.semantics.ambient.waypoints import USE, Binding, binding, traffic
from meshcheck.semantics.world.names import nearest

_KINDS = ("Gateway", "Namespace", "Service", "ServiceEntry", "GatewayClass")


@rule("MC603", "waypoint-missing-fails-open", severity="error", needs="absence", kinds=_KINDS, audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies of Services that no waypoint serves."""
    entries = {(e.meta.namespace, e.meta.name): e for e in evidence.of("ServiceEntry")}
    for policy in (*evidence.of("AuthorizationPolicy"), *evidence.of("RequestAuthentication")):
        for number, target in enumerate(policy.attachment.targets):
            key = (policy.meta.namespace, target.name)
            item = evidence.world.service(*key) if target.kind == "Service" else entries.get(key) if target.kind == "ServiceEntry" else None
            if item is None:
                continue
            at = (
                waypoint_of(evidence, item)
                if target.kind == "Service"
                else binding(evidence.world, item.meta.labels, item.meta.namespace, "service")
            )
            if at.known and not at.bound:
                words = f"nobody enforces this on {target.kind} {target.name}: {_why(evidence, at)}, so calls go straight to the pods"
                owner = at.use.owner if at.use and at.use.owner else item.meta
                place = ("metadata", "labels", USE) if at.use else ("metadata", "name")
                field = (*target_path(evidence, policy, number), "name")
                yield found(policy.meta, field, words, ("the waypoint is chosen here", owner, place), fix=_fix(evidence, at, item))


def _why(evidence: Evidence, at: Binding) -> str:
    use = at.use
    if use is None:
        return f"neither it nor its namespace has the label `{USE}`"
    if at.gateway is None:
        near = _near(evidence, at)
        return f"`{USE}: {use.name}` names no Gateway of namespace `{use.namespace}`{f' (did you mean `{near}`?)' if near else ''}"
    if at.problem == "not ready":
        return f"the waypoint `{use.namespace}/{use.name}` has never been ready: it has no address"
    if at.problem == "not admitted":
        return f"the waypoint `{use.namespace}/{use.name}` does not admit its namespace (allowedRoutes)"
    return f"the waypoint `{use.name}` is for `{traffic(evidence.world, at.gateway)}`, not for calls to Services"


def _near(evidence: Evidence, at: Binding) -> str | None:
    use = at.use
    names = [g.meta.name for g in evidence.of("Gateway") if use is not None and g.meta.namespace == use.namespace]
    return nearest(use.name, names) if use is not None else None


def _fix(evidence: Evidence, at: Binding, item: Any) -> Fix | None:
    near = _near(evidence, at) if at.problem == "missing" else None
    if near is None or at.use is None:
        return None
    return replacing(at.use.owner or item.meta, ("metadata", "labels", USE), near, f"use the waypoint `{near}`", safe=False)
