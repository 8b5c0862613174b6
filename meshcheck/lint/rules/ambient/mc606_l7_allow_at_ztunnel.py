"""ztunnel leaves out an ALLOW rule with HTTP attributes, and refuses what the rule was to admit.

## Finds

ALLOW rules with `methods`, `paths`, `hosts`, tokens or headers, in a policy without `targetRefs` that applies to workloads in ambient mode.

## Why it matters

ztunnel sees connections, not requests. It leaves out the rule, and keeps the policy: since there is an ALLOW policy, whatever no other rule
admits is refused, with a reset and not with a 403. If all rules are left out, that is everything.

## Avoid

```yaml
spec:
  selector: {matchLabels: {app: cart}}          # a pod in ambient mode
  rules: [{to: [{operation: {methods: [GET]}}]}]
```

## Prefer

```yaml
spec:
  targetRefs: [{group: "", kind: Service, name: cart}]    # a Service with a waypoint
  rules: [{to: [{operation: {methods: [GET]}}]}]
```

## Exceptions

A policy for a whole namespace, or mesh, that is meant for gateways or sidecars there; it hurts the pods in ambient mode all the same.

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


@rule("MC606", "l7-allow-at-ztunnel", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Rules that ztunnel does not get."""
    for policy in evidence.of("AuthorizationPolicy"):
        workloads = at_ztunnel(evidence, policy) if policy.action == "ALLOW" and is_sent(policy) else ()
        if not workloads:
            continue
        rules = translated(evidence, policy)
        none_left = all(each.left_out for each in rules)
        for one in rules:
            if one.left_out:
                words = f"ztunnel leaves this rule out for {listed(workloads)}: it sees no `{one.lost[0].name}`"
                words += "; no rule of the policy is left, so it admits nobody" if none_left else ", so what only this rule admits is reset"
                yield found(policy.meta, one.lost[0].path, words)
