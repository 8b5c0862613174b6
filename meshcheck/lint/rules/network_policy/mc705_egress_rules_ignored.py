"""Rules of a direction that policyTypes leaves out are dead.

## Finds

NetworkPolicies with egress rules whose `policyTypes` does not hold Egress, and with ingress rules whose `policyTypes` does not hold
Ingress.

## Why it matters

Only directions in `policyTypes` are isolated. The other rules are stored and never looked at: traffic that they were to restrict passes.

## Avoid

```yaml
spec:
  policyTypes: [Ingress]
  egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]
```

## Prefer

```yaml
spec:
  policyTypes: [Ingress, Egress]
  egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]
```

## Exceptions

None: rules that are not wanted should be removed.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule


@rule("MC705", "egress-rules-ignored", severity="error", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Rules that nobody looks at."""
    for policy in evidence.of("NetworkPolicy"):
        for direction in DIRECTIONS:
            if policy.rules(direction) and direction not in policy.directions:
                name = direction.capitalize()
                words = f"{direction} rules have no effect: policyTypes does not hold {name}, so all {direction} traffic is allowed"
                fix = adding(policy.meta, ("spec", "policyTypes", "-"), name, f"add {name} to policyTypes", safe=False)
                related = ("the directions", policy.meta, ("spec", "policyTypes"))
                yield found(policy.meta, ("spec", direction), words, related, fix=fix)
