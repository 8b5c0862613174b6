"""When this dry run is enforced, everything that it does not list is refused.

## Finds

ALLOW policies in dry run that apply to a workload without an enforced ALLOW policy.

## Why it matters

The first enforced ALLOW policy turns refusal into the default. The dry run itself does not: until then every call passes, and the change is
larger than the policy looks. `meshcheck diff` says which calls it stops.

## Avoid

```yaml
metadata:
  annotations: {istio.io/dry-run: "true"}   # and no other ALLOW policy
```

## Prefer

```yaml
kind: AuthorizationPolicy
metadata: {name: allow-all-for-now}
spec: {rules: [{}]}   # stays until the dry run is quiet
```

## Exceptions

None: it is a note.

## Silent when

The world is open: what is missing may be in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import applies_to


@rule("MC118", "dry-run-flip-denies", severity="info", needs="absence", kinds=("AuthorizationPolicy", "Workload"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Dry runs that would be the first ALLOW policy of a workload."""
    world = evidence.world
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.dry_run and policy.action == "ALLOW":
            for workload in applies_to(evidence, policy):
                if not any(p.action == "ALLOW" and not p.dry_run for p in world.authorization_policies(workload)):
                    words = f"enforced, it would be the first ALLOW policy of {workload}, and refuse all that it does not list"
                    yield found(policy.meta, ("metadata", "annotations", "istio.io/dry-run"), words)
                    break
