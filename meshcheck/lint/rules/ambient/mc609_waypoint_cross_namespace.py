"""A waypoint of another namespace does not admit this one, so the label has no effect.

## Finds

Labels `istio.io/use-waypoint` (of a Namespace, Service or ServiceEntry) that lead to a waypoint in another namespace whose listener does
not admit the namespace in `allowedRoutes`.

## Why it matters

A waypoint is for its own namespace unless it says otherwise. Istio drops the label without an error, and calls go straight to the pods.

## Avoid

```yaml
kind: Gateway
metadata: {name: wp, namespace: infra}
spec: {listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
---
kind: Namespace
metadata: {name: shop, labels: {istio.io/use-waypoint: wp, istio.io/use-waypoint-namespace: infra}}
```

## Prefer

```yaml
kind: Gateway
metadata: {name: wp, namespace: infra}
spec: {listeners: [{name: mesh, port: 15008, protocol: HBONE, allowedRoutes: {namespaces: {from: All}}}]}
```

## Exceptions

None.

## Silent when

The waypoint, or the Namespace that a selector looks at, is not in the input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.objects import Meta
from meshcheck.semantics.ambient.waypoints import USE, binding


@rule("MC609", "waypoint-cross-namespace", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Labels that a waypoint does not honour."""
    for namespace in evidence.world.namespaces.values():
        if namespace.meta is not None:
            yield from _label(evidence, namespace.meta, namespace.labels, namespace.name)
    for item in (*evidence.world.services, *evidence.of("ServiceEntry")):
        yield from _label(evidence, item.meta, item.meta.labels, item.meta.namespace)


def _label(evidence: Evidence, meta: Meta, labels: Mapping[str, str], namespace: str) -> Iterator[Found]:
    at = binding(evidence.world, labels, namespace, "service") if USE in labels else None
    if at is not None and at.gateway is not None and at.problem == "not admitted":
        listener = next(each for each in at.gateway.listeners if each.protocol == "HBONE")
        words = f"the waypoint `{at.gateway.meta.namespace}/{at.gateway.meta.name}` admits no use from namespace `{namespace}` "
        words += f"(allowedRoutes.namespaces.from: {listener.namespaces}), so the label has no effect"
        yield found(meta, ("metadata", "labels", USE), words, ("its listener", at.gateway.meta, listener.field))
