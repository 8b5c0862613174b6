"""An ALLOW rule and a DENY rule match the same requests: one of them is a mistake.

## Finds

Rules of ALLOW policies that match exactly the requests of a DENY rule, on every workload that the ALLOW policy applies to.

## Why it matters

DENY wins, so the ALLOW rule does nothing. Usually an `action` was copied, or one of the two was meant to be removed.

## Avoid

```yaml
action: ALLOW
rules: [{from: [{source: {namespaces: [ops]}}]}]
---
action: DENY
rules: [{from: [{source: {namespaces: [ops]}}]}]
```

## Prefer

```yaml
action: ALLOW
rules: [{from: [{source: {namespaces: [ops]}}]}]
```

## Exceptions

A DENY policy that closes something for a while.

## Silent when

The equality cannot be proved field by field; the ALLOW policy applies to no proxy that is known.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.policy_rules import covered, deny_rules, rules_of, same_requests
from meshcheck.lint.rule import Found, found, rule


@rule("MC311", "same-match-allow-and-deny", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Rules that contradict each other."""
    for policy in evidence.of("AuthorizationPolicy"):
        for one in rules_of(evidence, policy) if policy.action == "ALLOW" else ():
            item = covered(evidence, one, deny_rules)
            if item is not None and len(item.by) == 1 and same_requests(evidence, one, item.by[0]):
                deny = item.by[0]
                field = ("spec", "rules", deny.rule.index)
                message = (
                    f"rule {one.rule.index} allows what {deny.policy.meta.namespace}/{deny.policy.meta.name} rule {deny.rule.index} denies,"
                    " request for request: DENY wins"
                )
                yield found(policy.meta, ("spec", "rules", one.rule.index), message, ("this denies it", deny.policy.meta, field))
