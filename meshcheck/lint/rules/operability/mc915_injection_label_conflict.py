"""A namespace has two labels for the mesh that contradict each other; one wins silently.

## Finds

Namespaces with `istio-injection` and `istio.io/rev` together, and namespaces that ask for sidecars and for ambient mode.

## Why it matters

`istio-injection` wins over `istio.io/rev`: the webhook of a revision passes over namespaces that have both labels. So after an upgrade by
revision the pods keep the sidecar of the old control plane. Pods with a sidecar are left out of ambient mode.

## Avoid

```yaml
labels: {istio-injection: enabled, istio.io/rev: canary}
```

## Prefer

```yaml
labels: {istio.io/rev: canary}
```

## Exceptions

A namespace that moves from sidecars to ambient, until its pods are made anew.

## Silent when

The namespace says `istio-injection: disabled`: then it asks for no sidecar, and `istio.io/rev` still chooses the control plane of its
Gateways.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.repair import removing
from meshcheck.lint.rule import Found, found, rule

_REVISION, _INJECTION, _MODE = "istio.io/rev", "istio-injection", "istio.io/dataplane-mode"


@rule("MC915", "injection-label-conflict", severity="warning", needs="document", audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Labels that contradict each other."""
    for namespace in evidence.of("Namespace"):
        labels, meta = namespace.labels, namespace.meta
        if meta is None:
            continue
        injection, revision = labels.get(_INJECTION), labels.get(_REVISION)
        if injection == "disabled":
            continue
        if injection and revision:
            message = f"`{_INJECTION}: {injection}` wins, and `{_REVISION}: {revision}` beside it does nothing"
            fix = removing(meta, ("metadata", "labels", _INJECTION), f"leave the choice to `{_REVISION}`", safe=False)
            yield found(meta, ("metadata", "labels", _REVISION), message, fix=fix)
        elif labels.get(_MODE) == "ambient" and (injection or revision):
            message = "asks for sidecars, too: pods that have one are left out of ambient mode"
            yield found(meta, ("metadata", "labels", _MODE), message, confidence="high" if injection else "medium")
