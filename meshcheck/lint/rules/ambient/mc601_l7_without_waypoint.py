"""A policy is attached to a waypoint that no call passes, so nobody enforces it.

## Finds

AuthorizationPolicies and RequestAuthentications whose target is a waypoint (a Gateway of class `istio-waypoint`) to which no label
`istio.io/use-waypoint` of a Namespace, Service, ServiceEntry or pod leads.

## Why it matters

A waypoint stands on the way of nothing until something is labelled to use it. Until then calls go straight to the pods, and the policy is
accepted without effect.

## Avoid

```yaml
kind: Gateway
metadata: {name: wp, namespace: shop}
spec: {gatewayClassName: istio-waypoint}
---
kind: AuthorizationPolicy
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: wp}]}
```

## Prefer

```yaml
kind: Namespace
metadata: {name: shop, labels: {istio.io/use-waypoint: wp}}
```

## Exceptions

A policy that is applied before the label.

## Silent when

The world is open: the label may be in another file. A namespace with workloads whose Namespace was not read may carry the label, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.ambient import target_path
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.ambient.waypoints import USE, USE_NAMESPACE, is_waypoint

_KINDS = ("Gateway", "Namespace", "Service", "ServiceEntry", "Workload")


@rule("MC601", "l7-without-waypoint", severity="error", needs="absence", kinds=_KINDS)
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies of waypoints that are not used."""
    world = evidence.world
    if any(n.meta is None for n in world.namespaces.values()):
        return
    used = evidence.once("waypoints in use", lambda: set(_used(evidence)))
    waypoints = {(g.meta.namespace, g.meta.name): g for g in evidence.of("Gateway") if is_waypoint(world, g)}
    for policy in (*evidence.of("AuthorizationPolicy"), *evidence.of("RequestAuthentication")):
        for number, target in enumerate(policy.attachment.targets):
            key = (policy.meta.namespace, target.name)
            if target.kind == "Gateway" and key in waypoints and key not in used:
                words = f"nothing uses the waypoint `{target.name}`: no `{USE}` label leads to it, so no call passes this policy"
                yield found(
                    policy.meta,
                    (*target_path(evidence, policy, number), "name"),
                    words,
                    ("the waypoint", waypoints[key].meta, ("metadata", "name")),
                )


def _used(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """(namespace, name) of the Gateways that labels lead to."""
    for namespace in evidence.world.namespaces.values():
        if name := namespace.labels.get(USE):
            yield namespace.labels.get(USE_NAMESPACE) or namespace.name, name
    for kind in ("Service", "ServiceEntry", "Workload"):
        for item in evidence.of(kind):
            labels = item.pod_labels if kind == "Workload" else item.meta.labels
            if name := labels.get(USE):
                yield labels.get(USE_NAMESPACE) or item.meta.namespace, name
