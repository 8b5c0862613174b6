"""A change adds the first ALLOW policy of a workload: every caller that it does not name loses access.

## Finds

Workloads to which no enforced ALLOW policy applied before the change and one applies after it, unless that one allows every request.

## Why it matters

Without an ALLOW policy everything is allowed; with the first one everything else is denied. A policy that is written to let one more caller
in shuts all others out on merge. The same holds when a policy loses its dry-run mark, or its selector begins to match.

## Avoid

```yaml
# the first policy of app=cart, written for the new job
spec:
  selector: {matchLabels: {app: cart}}
  rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/report"]}}]}]
```

## Prefer

```yaml
spec:
  selector: {matchLabels: {app: cart}}
  rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/report", "cluster.local/ns/shop/sa/web"]}}]}]
```

## Exceptions

The change is meant to close the workload.

## Silent when

There is no state before: only a comparison has one. The workload is new, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed, proxies
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.semantics.tracing.proxies import compiled
from meshcheck.semantics.world import World


@rule("MC306", "first-allow-flips-default", severity="warning", needs="two-worlds")
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies that close what was open."""
    if evidence.before is None:
        return
    closing: dict[AuthorizationPolicy, list[str]] = {}
    for workload in proxies(evidence):
        granting = compiled(evidence.world, workload, True)
        open_still = any(not (r.sources or r.operations or r.conditions) for r in granting.allow)
        if granting.allow_policies and not open_still and _was_open(evidence.before, workload):
            closing.setdefault(granting.allow_policies[0], []).append(str(workload))
    for policy, names in closing.items():
        message = f"the first ALLOW policy of {listed(names)}: every caller that its rules do not match loses access"
        yield found(policy.meta, ("spec",), message)


def _was_open(before: World, workload: Workload) -> bool:
    """Whether a workload was there and no enforced ALLOW policy applied to it."""
    old = before.find_workload(workload.namespace, f"{workload.kind}/{workload.name}")
    return old is not None and not compiled(before, old, True).allow_policies
