"""The selector of a RequestAuthentication selects no workload in its scope, so no token is checked.

## Finds

RequestAuthentications whose `selector` matches no pod of their namespace (of any namespace, for those in the root namespace).

## Why it matters

The workload that was meant takes requests with any token, or none. Where its policies ask for a principal, every call gets 403.

## Avoid

```yaml
spec:
  selector: {matchLabels: {app: carts}}    # the pods have app=cart
```

## Prefer

```yaml
spec:
  selector: {matchLabels: {app: cart}}
```

## Exceptions

Policies that are applied before their workload.

## Silent when

The world is open; or a Gateway selects the same labels, so that the pods are those of a gateway that was installed elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import unmatched


@rule("MC506", "request-authn-selects-nothing", severity="warning", needs="absence", kinds=("Workload", "IstioGateway"))
def check(evidence: Evidence) -> Iterator[Found]:
    """RequestAuthentications that select nothing."""
    for policy, hint in unmatched(evidence, "RequestAuthentication"):
        yield found(policy.meta, ("spec", "selector"), f"selects no workload in its scope, so no token is checked{hint}")
