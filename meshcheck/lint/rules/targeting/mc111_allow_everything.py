"""An ALLOW policy with an empty rule admits every request, whatever the other ALLOW policies say.

## Finds

AuthorizationPolicies with action ALLOW and a rule that asks for nothing.

## Why it matters

One empty rule turns all other ALLOW policies of the same workloads into decoration: ALLOW policies add up, none of them narrows another. It
is a warning where such a policy is in the input, else a note.

## Avoid

```yaml
rules:
- {}
- from: [{source: {namespaces: [shop]}}]
```

## Prefer

```yaml
rules:
- from: [{source: {namespaces: [shop]}}]
```

## Exceptions

Opening one workload on purpose, such as a gateway or a webhook, where the namespace denies by default.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import applies_to
from meshcheck.model.istio_security import AuthorizationPolicy, Rule


@rule("MC111", "allow-everything", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """ALLOW policies with an empty rule."""
    for policy in evidence.of("AuthorizationPolicy"):
        number = next((r.index for r in policy.rules if is_empty(r)), None)
        if policy.action != "ALLOW" or policy.dry_run or number is None:
            continue
        field = ("spec", "rules", number)
        others = _idle(evidence, policy)
        if len(policy.rules) > 1:
            yield found(policy.meta, field, "an empty rule admits every request, so the other rules of this policy do nothing")
        elif others:
            words = f"an empty rule admits every request, so {others[0].meta.ref} narrows nothing"
            yield found(policy.meta, field, words, *(("this policy narrows nothing", o.meta, ("spec", "rules")) for o in others[:5]))
        else:
            yield found(policy.meta, field, "an empty rule admits every request", severity="info")


def is_empty(rule: Rule) -> bool:
    """Whether a rule asks for nothing."""
    return not (rule.sources or rule.operations or rule.conditions)


def _idle(evidence: Evidence, policy: AuthorizationPolicy) -> list[AuthorizationPolicy]:
    """Other ALLOW policies that apply to the same workloads and to nothing else."""
    mine = {id(w) for w in applies_to(evidence, policy)}
    near = {p.meta.ref: p for w in applies_to(evidence, policy) for p in evidence.world.authorization_policies(w)}
    out = []
    for other in near.values():
        narrows = other is not policy and other.action == "ALLOW" and not other.dry_run and other.rules
        if narrows and not any(is_empty(r) for r in other.rules) and {id(w) for w in applies_to(evidence, other)} <= mine:
            out.append(other)
    return out
