"""A selector has the labels of a gateway that lives in another namespace, so it selects nothing.

## Finds

AuthorizationPolicies and RequestAuthentications whose selector selects gateway pods of other namespaces and no workload of their own.

## Why it matters

A policy selects pods of its own namespace only (those of the root namespace select everywhere). A copied example for the ingress gateway
does nothing in the namespace of the application.

## Avoid

```yaml
metadata: {name: ingress, namespace: shop}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
```

## Prefer

```yaml
metadata: {name: ingress, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
```

## Exceptions

A gateway of its own in this namespace that is made later.

## Silent when

The pods of the gateway are not in the input.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import gateway_elsewhere

_KINDS = ("AuthorizationPolicy", "RequestAuthentication")


@rule("MC121", "gateway-labels-wrong-namespace", severity="warning", confidence="medium", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies for gateways of other namespaces."""
    for policy in (policy for kind in _KINDS for policy in evidence.of(kind)):
        gateway = gateway_elsewhere(evidence, policy)
        if gateway is not None:
            words = f"selects nothing: the gateway with these labels is {gateway}, and a policy selects pods of its own namespace only"
            yield found(policy.meta, ("metadata", "namespace"), words, ("the gateway", gateway.meta, ("metadata", "namespace")))
