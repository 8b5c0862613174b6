"""Every request that an ALLOW rule admits is refused by a DENY policy: a dead grant.

## Finds

Rules of ALLOW policies all of whose requests are matched by DENY rules, on every workload that the policy applies to; and single values of
such rules (a method, a path, a caller) of which a DENY leaves nothing.

## Why it matters

DENY is asked before ALLOW, and nothing overrides it. The ALLOW rule reads as access and gives none: "but I allowed it".

## Avoid

```yaml
action: ALLOW
rules: [{to: [{operation: {methods: [GET], paths: ["/admin/users"]}}]}]
---
action: DENY
rules: [{to: [{operation: {paths: ["/admin/*"]}}]}]
```

## Prefer

```yaml
action: DENY
rules: [{to: [{operation: {paths: ["/admin/*"], notPaths: ["/admin/users"]}}]}]
```

## Exceptions

A DENY policy that closes something for a while.

## Silent when

It cannot be proved field by field (a template path inside another one, a claim against a not-claim …); the policy applies to no proxy that
is known. Where both rules match exactly the same requests, MC311 speaks.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.policy_rules import covered, denied_values, deny_rules, rules_of, same_requests
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.authorization.policies import CompiledRule


@rule("MC301", "allow-shadowed-by-deny", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Grants that DENY takes back."""
    for policy in evidence.of("AuthorizationPolicy"):
        for one in rules_of(evidence, policy) if policy.action == "ALLOW" else ():
            item = covered(evidence, one, deny_rules)
            if item is None:
                yield from _parts(evidence, one)
            if item is None or (len(item.by) == 1 and same_requests(evidence, one, item.by[0])):
                continue
            names = listed(f"{d.policy.meta.namespace}/{d.policy.meta.name} rule {d.rule.index}" for d in item.by)
            related = [("this refuses it", d.policy.meta, ("spec", "rules", d.rule.index)) for d in item.by]
            message = f"all that rule {one.rule.index} allows is denied by {names}: the grant is dead"
            yield found(policy.meta, ("spec", "rules", one.rule.index), message, *related)


def _parts(evidence: Evidence, one: CompiledRule) -> Iterator[Found]:
    """The dead parts of a grant that is alive."""
    for path, deny in denied_values(evidence, one).items():
        name = f"{deny.policy.meta.namespace}/{deny.policy.meta.name} rule {deny.rule.index}"
        related = ("this refuses it", deny.policy.meta, ("spec", "rules", deny.rule.index))
        yield found(one.policy.meta, path, f"all that this value allows is denied by {name}: this part of the grant is dead", related)
