"""A namespace is labelled for sidecars and for ambient mode; its pods get sidecars.

## Finds

Namespaces with the label `istio.io/dataplane-mode: ambient` and one that asks for sidecars: `istio-injection: enabled`, or `istio.io/rev`
(with medium confidence, for a revision may have no injector). Source:
istio/istio:manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml.

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

from collections.abc import Iterator, Mapping

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.repair import removing
from meshcheck.lint.rule import Found, found, rule

_MODE, _INJECTION, _REVISION = "istio.io/dataplane-mode", "istio-injection", "istio.io/rev"


@rule("MC612", "sidecar-and-ambient", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Namespaces with both labels."""
    for namespace in evidence.world.namespaces.values():
        labels = namespace.labels
        asking = _asking(labels)
        if namespace.meta is not None and asking is not None and labels.get(_MODE) == "ambient":
            at, by = ("metadata", "labels", _MODE), ("metadata", "labels", asking)
            words = "the namespace is labelled for sidecars, too: its pods get sidecars, and this label has no effect on them"
            related = ("asks for sidecars", namespace.meta, by)
            fix = removing(namespace.meta, by, "leave the sidecars out", safe=False)
            yield found(namespace.meta, at, words, related, fix=fix, confidence="high" if asking == _INJECTION else "medium")


def _asking(labels: Mapping[str, str]) -> str | None:
    """The label by which a namespace asks for sidecars; `istio-injection` of any value goes before a revision."""
    if _INJECTION in labels:
        return _INJECTION if labels[_INJECTION] == "enabled" else None
    return _REVISION if labels.get(_REVISION) else None
