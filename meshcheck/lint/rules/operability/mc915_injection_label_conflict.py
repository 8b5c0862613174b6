"""A namespace has two labels for the mesh that contradict each other; one wins silently.

## Finds

Namespaces with `istio-injection` and `istio.io/rev` together. (Those that ask for sidecars and for ambient mode are MC612.)

## Why it matters

`istio-injection` wins over `istio.io/rev`: the webhook of a revision passes over namespaces that have both labels. So after an upgrade by
revision the pods keep the sidecar of the old control plane.

## Avoid

```yaml
labels: {istio-injection: enabled, istio.io/rev: canary}
```

## Prefer

```yaml
labels: {istio.io/rev: canary}
```

## Exceptions

None.

## Silent when

The namespace says `istio-injection: disabled`: then it asks for no sidecar, and `istio.io/rev` still chooses the control plane of its
Gateways.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.repair import removing
from meshcheck.lint.rule import Found, found, rule

_REVISION, _INJECTION = "istio.io/rev", "istio-injection"


@rule("MC915", "injection-label-conflict", severity="warning", needs="document", audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Labels that contradict each other."""
    for namespace in evidence.of("Namespace"):
        labels, meta = namespace.labels, namespace.meta
        if meta is None:
            continue
        injection, revision = labels.get(_INJECTION), labels.get(_REVISION)
        if injection and revision and injection != "disabled":
            message = f"`{_INJECTION}: {injection}` wins, and `{_REVISION}: {revision}` beside it does nothing"
            fix = removing(meta, ("metadata", "labels", _INJECTION), f"leave the choice to `{_REVISION}`", safe=False)
            yield found(meta, ("metadata", "labels", _REVISION), message, fix=fix)
