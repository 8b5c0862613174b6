"""ztunnel does not know the actions CUSTOM and AUDIT, so the policy is not applied.

## Finds

AuthorizationPolicies with action CUSTOM or AUDIT and without `targetRefs` that apply to workloads in ambient mode.

## Why it matters

istiod does not send such a policy to ztunnel. Nobody asks the external authorizer, and every call passes.

## Avoid

```yaml
spec:
  selector: {matchLabels: {app: cart}}          # a pod in ambient mode
  action: CUSTOM
  provider: {name: opa}
```

## Prefer

```yaml
spec:
  targetRefs: [{group: "", kind: Service, name: cart}]    # a Service with a waypoint
  action: CUSTOM
  provider: {name: opa}
```

## Exceptions

A policy for a whole namespace or mesh that is meant for the sidecars and gateways there: where it applies to one of those, the finding is a
warning of medium confidence.

## Silent when

It is not known that a workload is in ambient mode.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.ambient import at_ztunnel
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import governed, listed
from meshcheck.lint.rule import Found, found, rule


@rule("MC611", "action-unsupported-at-ztunnel", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies that ztunnel is not told of."""
    for policy in evidence.of("AuthorizationPolicy"):
        workloads = at_ztunnel(evidence, policy) if policy.action in ("CUSTOM", "AUDIT") and not policy.dry_run else ()
        if workloads:
            effect = "nobody asks the provider and calls pass" if policy.action == "CUSTOM" else "nothing is recorded"
            words = f"action {policy.action} does not exist at ztunnel: for {listed(workloads)} {effect}; a waypoint can do it"
            weak = policy.action == "AUDIT" or bool(governed(evidence, policy))
            if weak:
                yield found(policy.meta, ("spec", "action"), words, severity="warning", confidence="medium")
            else:
                yield found(policy.meta, ("spec", "action"), words)
