"""A whole policy allows, or denies, only what other policies do as well.

## Finds

ALLOW and DENY policies all of whose rules are contained in rules of other policies with the same action, on every workload that they apply
to. Of two equal policies the later one (by name) is named.

## Why it matters

It can go. While it is there, a change to the other policy seems to have no effect.

## Avoid

```yaml
metadata: {name: allow-web}
spec: {rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}]}]}
---
metadata: {name: allow-shop}
spec: {rules: [{from: [{source: {namespaces: [shop]}}]}]}
```

## Prefer

```yaml
metadata: {name: allow-shop}
spec: {rules: [{from: [{source: {namespaces: [shop]}}]}]}
```

## Exceptions

Policies that are kept apart because different people answer for them.

## Silent when

It cannot be proved field by field; the policy applies to no proxy that is known. Policies without rules, such as a default that allows
nothing, are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.policy_rules import redundant
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule


@rule("MC303", "redundant-policy", severity="info", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies that others contain."""
    for policy in evidence.of("AuthorizationPolicy"):
        rules, items = redundant(evidence, policy)
        by = {str(other.policy.meta.ref): other.policy for item in items for other in item.by}
        if not rules or len(items) < rules or any(other is policy for other in by.values()):
            continue
        verb = "allows" if policy.action == "ALLOW" else "denies"
        names = listed(f"{other.meta.namespace}/{other.meta.name}" for other in by.values())
        related = [("this contains it", other.meta, ("spec",)) for other in by.values()]
        yield found(policy.meta, ("metadata", "name"), f"{verb} nothing beyond {names}: it can go", *related)
