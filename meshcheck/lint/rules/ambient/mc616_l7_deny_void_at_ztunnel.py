"""Nothing is left of a DENY rule at ztunnel, so the block does not exist.

## Finds

DENY rules, and entries of them, that hold HTTP attributes only, in a policy without `targetRefs` that applies to workloads in ambient mode.

## Why it matters

ztunnel sees connections, not requests. What is left of the rule without its HTTP attributes is empty, and an empty entry matches nothing:
every call that the rule was to stop passes, and the status of the policy says that it was accepted.

## Avoid

```yaml
spec:
  selector: {matchLabels: {app: cart}}          # a pod in ambient mode
  action: DENY
  rules: [{to: [{operation: {methods: [DELETE]}}]}]
```

## Prefer

```yaml
spec:
  targetRefs: [{group: "", kind: Service, name: cart}]    # a Service with a waypoint
  action: DENY
  rules: [{to: [{operation: {methods: [DELETE]}}]}]
```

## Exceptions

A policy for a whole namespace, or mesh, that is meant for gateways or sidecars there.

## Silent when

It is not known that a workload is in ambient mode.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.ambient import at_ztunnel, translated
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.ambient.ztunnel import is_sent


@rule("MC616", "l7-deny-void-at-ztunnel", severity="error", needs="documents", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Rules, and entries, of which nothing is left."""
    for policy in evidence.of("AuthorizationPolicy"):
        workloads = at_ztunnel(evidence, policy) if policy.action == "DENY" and is_sent(policy) else ()
        for one in translated(evidence, policy) if workloads else ():
            if void := next((m for m in one.void if m.lost), None):
                name = void.lost[0].name
                words = f"this rule blocks nothing for {listed(workloads)}: ztunnel cannot see `{name}`, and nothing else is left to match"
                yield found(policy.meta, void.lost[0].path, words)
                continue
            for match in (m for clause in one.clauses for m in clause):
                if match.lost and not match.kept:
                    words = f"this entry blocks nothing for {listed(workloads)}: ztunnel cannot see `{match.lost[0].name}`"
                    yield found(policy.meta, match.lost[0].path, words)
