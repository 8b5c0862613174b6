"""Tokens are not checked: ztunnel cannot, and no waypoint is asked.

## Finds

RequestAuthentications without `targetRefs` that apply to workloads in ambient mode and to no sidecar or gateway.

## Why it matters

ztunnel sees connections, not requests, so it ignores RequestAuthentications. A forged or expired token passes as if it were none.

## Avoid

```yaml
kind: RequestAuthentication
spec:
  selector: {matchLabels: {app: cart}}          # a pod in ambient mode
```

## Prefer

```yaml
kind: RequestAuthentication
spec:
  targetRefs: [{group: "", kind: Service, name: cart}]    # a Service with a waypoint
```

## Exceptions

None.

## Silent when

Not all workloads are known; the policy applies to a sidecar or gateway as well. One that is attached to a Service without a waypoint is
MC603's.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.ambient import at_ztunnel
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import governed, listed
from meshcheck.lint.rule import Found, found, rule


@rule(
    "MC610",
    "request-authn-without-waypoint",
    severity="error",
    needs="absence",
    kinds=("Workload", "Namespace", "Gateway", "IstioGateway"),
    audience="security",
)
def check(evidence: Evidence) -> Iterator[Found]:
    """RequestAuthentications that nobody can apply."""
    for policy in evidence.of("RequestAuthentication"):
        workloads = at_ztunnel(evidence, policy)
        if workloads and not governed(evidence, policy):
            field = ("spec", "selector") if policy.attachment.selector else ("spec",)
            words = f"tokens are not checked for {listed(workloads)}: ztunnel sees no requests; attach this to a Service with a waypoint"
            yield found(policy.meta, field, words)
