"""A rule allows, or denies, only what other rules do as well.

## Finds

Rules of ALLOW and DENY policies all of whose requests are matched by other rules of the same action, on every workload that the policy
applies to. Of two equal rules the later one is named.

## Why it matters

It can go: less to read, and less configuration for the proxies. Often it is the trace of a rule that became too wide.

## Avoid

```yaml
rules:
- from: [{source: {namespaces: [shop]}}]
- from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}]     # web is in shop
```

## Prefer

```yaml
rules:
- from: [{source: {namespaces: [shop]}}]
```

## Exceptions

Rules that are kept apart because different people answer for them.

## Silent when

It cannot be proved field by field; all rules of the policy are redundant (MC303); the policy applies to no proxy that is known.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.policy_rules import Covered, redundant
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule


@rule("MC302", "redundant-rule", severity="info", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Rules that others contain."""
    for policy in evidence.of("AuthorizationPolicy"):
        rules, items = redundant(evidence, policy)
        within = [item for item in items if not _by_others(item)] if len(items) == rules else items
        for item in within:
            names = listed(f"{o.policy.meta.namespace}/{o.policy.meta.name} rule {o.rule.index}" for o in item.by)
            verb = "allows" if policy.action == "ALLOW" else "denies"
            related = [("this contains it", o.policy.meta, ("spec", "rules", o.rule.index)) for o in item.by]
            message = f"rule {item.rule.rule.index} {verb} nothing beyond {names}: it can go"
            yield found(policy.meta, ("spec", "rules", item.rule.rule.index), message, *related)


def _by_others(item: Covered) -> bool:
    return all(other.policy is not item.rule.policy for other in item.by)
