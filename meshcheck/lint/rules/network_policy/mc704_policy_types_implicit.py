"""A NetworkPolicy with egress rules and without policyTypes isolates the pods for ingress, too.

## Finds

NetworkPolicies without `policyTypes` that hold `egress` rules and no `ingress` rule; and those with `egress: []`, which isolates nothing
unless `policyTypes` names Egress.

## Why it matters

Without `policyTypes` a policy is always for ingress, and for egress if it holds an egress rule. A policy that was to open a way out closes
all ways in; one with an empty egress list, that was to close all ways out, closes none.

## Avoid

```yaml
spec:
  podSelector: {matchLabels: {app: cart}}
  egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]
```

## Prefer

```yaml
spec:
  podSelector: {matchLabels: {app: cart}}
  policyTypes: [Egress]
  egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]
```

## Exceptions

A policy that was to close all ways in: say so with `policyTypes: [Ingress, Egress]`.

## Silent when

`policyTypes` is written, or there are rules for ingress alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule


@rule("MC704", "policy-types-implicit", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies whose directions are not what they look like."""
    for policy in evidence.of("NetworkPolicy"):
        spec = evidence.raw(policy.meta).get("spec") or {}
        if spec.get("policyTypes"):
            continue
        if policy.egress and not policy.ingress and "ingress" not in spec:
            yield found(policy.meta, ("spec",), "without policyTypes this policy is for ingress as well, and admits no call to its pods")
        elif spec.get("egress") == []:
            yield found(
                policy.meta,
                ("spec", "egress"),
                "an empty egress list without `policyTypes: [Egress]` isolates nothing: all ways out stay open",
            )
