"""A workload has policies in dry run only, so nothing is enforced there.

## Finds

AuthorizationPolicies with `istio.io/dry-run: "true"` where no workload that they apply to has an enforced policy with action ALLOW, DENY or
CUSTOM.

## Why it matters

Dry runs are logged and counted; every call passes. Dashboards look green while the workload is open.

## Avoid

```yaml
metadata:
  annotations: {istio.io/dry-run: "true"}
```

## Prefer

```yaml
metadata:
  annotations: {istio.io/dry-run: "false"}
```

## Exceptions

A trial that is meant to be one: suppress the finding with the date of its end.

## Silent when

The world is open: what is missing may be in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import applies_to


@rule("MC117", "dry-run-only", severity="warning", needs="absence", kinds=("AuthorizationPolicy", "Workload"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Dry runs with nothing that is enforced beside them."""
    for policy in evidence.of("AuthorizationPolicy"):
        workloads = applies_to(evidence, policy) if policy.dry_run else ()
        near = [p for w in workloads for p in evidence.world.authorization_policies(w)]
        if workloads and all(p.dry_run or p.action == "AUDIT" for p in near):
            more = f" and {len(workloads) - 1} more" if len(workloads) > 1 else ""
            words = f"nothing is enforced at {workloads[0]}{more}: all policies there are in dry run"
            yield found(policy.meta, ("metadata", "annotations", "istio.io/dry-run"), words)
