"""A NetworkPolicy drops the calls that a gateway or ingress controller sends to its own backend.

## Finds

Ways from outside (Gateway with VirtualService, Gateway API, Ingress) on which a NetworkPolicy drops the connection from the gateway's or
controller's pods to the backend.

## Why it matters

The client sees 503 or 504 from the gateway after a long wait, which looks like a slow application. A default-deny in the namespace is the
usual beginning: neighbours were admitted, and the namespace of the controller was forgotten.

## Avoid

```yaml
kind: NetworkPolicy
metadata: {namespace: shop}
spec:
  ingress: [{from: [{podSelector: {}}]}]
```

## Prefer

```yaml
spec:
  ingress:
  - from:
    - podSelector: {}
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}
```

## Exceptions

Routes that are switched off on purpose by a NetworkPolicy.

## Silent when

NetworkPolicies, namespaces or pods may be elsewhere (open world); the labels of the controller's pods are not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.entrances import stopped_behind
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule

_KINDS = ("NetworkPolicy", "Workload", "Service", "Namespace")


@rule("MC820", "ingress-controller-netpol-blocked", severity="error", needs="absence", kinds=_KINDS)
def check(evidence: Evidence) -> Iterator[Found]:
    """Routes that end at a NetworkPolicy."""
    for way, source, station in stopped_behind(evidence, "network-policy"):
        decider = station.decider or next(iter(station.policies), None)
        if decider is None:
            continue
        message = (
            f"drops the calls of {source} to {station.workload or 'the backend'}:"
            f" {way.owner.ref} leads there from {way.address}, and clients wait until the gateway gives up"
        )
        yield found(decider.meta, decider.field or ("spec",), message, ("the route", way.owner, ("metadata", "name")))
