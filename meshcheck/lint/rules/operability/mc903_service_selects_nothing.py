"""A Service selects no pod, so calls to it get 503 or are refused.

## Finds

Services with a selector that no pod of their namespace has.

## Why it matters

Callers get 503 (`UH`, no healthy upstream) or a refused connection, and take it for a block.

## Avoid

```yaml
kind: Service
spec: {selector: {app: carts}}       # the pods have app=cart
```

## Prefer

```yaml
spec: {selector: {app: cart}}
```

## Exceptions

Pods that an operator makes from an object of its own. Without the cluster itself, nothing is said of namespaces of which no pods are in the
input.

## Silent when

The world is open: the pods may be elsewhere. Services whose endpoints are written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import near_label


@rule("MC903", "service-selects-nothing", severity="warning", needs="absence", kinds=("Workload", "Endpoints"), confidence="medium")
def check(evidence: Evidence) -> Iterator[Found]:
    """Services without pods."""
    world = evidence.world
    for service in world.services:
        if not service.selector or service.kind == "ExternalName" or world.pods_of(service) or world.endpoints_of(service):
            continue
        scope = world.workloads_in(service.namespace)
        if scope or world.coverage is not None:
            message = f"no pod of namespace {service.namespace} has these labels: calls get 503{near_label(service.selector, scope)}"
            yield found(service.meta, ("spec", "selector"), message)
