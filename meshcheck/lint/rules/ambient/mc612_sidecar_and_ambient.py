"""A namespace is labelled for sidecars and for ambient mode; its pods get sidecars.

## Finds

Namespaces with the labels `istio-injection: enabled` and `istio.io/dataplane-mode: ambient`.

## Why it matters

A pod with a sidecar is not captured by ztunnel. Policies for waypoints do not apply to such pods, and which mode a pod has depends on when
it was made.

## Avoid

```yaml
labels: {istio-injection: enabled, istio.io/dataplane-mode: ambient}
```

## Prefer

```yaml
labels: {istio.io/dataplane-mode: ambient}
```

## Exceptions

A namespace in the middle of a migration.

## Silent when

Never: the Namespace is enough. Single pods that ask for a sidecar are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.repair import removing
from meshcheck.lint.rule import Found, found, rule

_MODE = "istio.io/dataplane-mode"


@rule("MC612", "sidecar-and-ambient", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Namespaces with both labels."""
    for namespace in evidence.world.namespaces.values():
        labels = namespace.labels
        if namespace.meta is not None and labels.get("istio-injection") == "enabled" and labels.get(_MODE) == "ambient":
            at = ("metadata", "labels", _MODE)
            words = "the namespace is labelled for sidecars, too: its pods get sidecars, and this label has no effect on them"
            related = ("asks for sidecars", namespace.meta, ("metadata", "labels", "istio-injection"))
            fix = removing(namespace.meta, ("metadata", "labels", "istio-injection"), "leave the sidecars out", safe=False)
            yield found(namespace.meta, at, words, related, fix=fix)
