"""The selector of a policy selects no workload in its scope, so the policy does nothing.

## Finds

AuthorizationPolicies whose `selector` matches no pod template and no pod of their namespace (of any namespace, for policies in the root
namespace).

## Why it matters

An ALLOW policy that selects nothing opens nothing, a DENY policy blocks nothing: typically a typo in a label, or a label of the
Deployment instead of the pod.

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

The world is open: the workload may be in another file. PeerAuthentications are MC416's,
RequestAuthentications MC506's, and selectors of gateways in other namespaces MC121's.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import gateway_elsewhere, unmatched


@rule("MC102", "selector-matches-nothing", severity="warning", needs="absence", kinds=("Workload",))
def check(evidence: Evidence) -> Iterator[Found]:
    """AuthorizationPolicies that select nothing."""
    for policy, hint in unmatched(evidence, "AuthorizationPolicy"):
        if gateway_elsewhere(evidence, policy) is None:
            yield found(policy.meta, ("spec", "selector"), f"selects no workload in its scope{hint}")
