"""A policy selects a workload without a proxy, so nobody enforces it there.

## Finds

AuthorizationPolicies, RequestAuthentications and PeerAuthentications with a selector that selects a workload of which it is known that its
pods get no sidecar and are not in ambient mode.

## Why it matters

The policy lists the workload as covered, and every call to it passes.

## Avoid

```yaml
kind: Deployment
spec:
  template:
    metadata: {labels: {app: cart, sidecar.istio.io/inject: "false"}}
---
kind: AuthorizationPolicy
spec:
  selector: {matchLabels: {app: cart}}
```

## Prefer

```yaml
kind: Deployment
spec:
  template:
    metadata: {labels: {app: cart}}
```

## Exceptions

Injection by an injector of your own. Jobs and CronJobs are left alone: nobody calls them. An ALLOW policy that admits everything loses
nothing, and is left alone, too.

## Silent when

Whether the pods get a sidecar is not known (the Namespace is not in the input and the world is open). Pods on the host's network are
MC108's.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import outside_mesh, selected_by
from meshcheck.model.core import Workload

_KINDS = ("AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication")


@rule("MC107", "selects-uninjected-workload", severity="error", confidence="medium", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Selected workloads without a proxy."""
    for kind in _KINDS:
        for policy in evidence.of(kind):
            if (
                kind == "AuthorizationPolicy"
                and policy.action == "ALLOW"
                and any(not (r.sources or r.operations or r.conditions) for r in policy.rules)
            ):
                continue
            bare = [w for w in selected_by(evidence, policy) if _is_bare(evidence, w)]
            if bare:
                more = f" and {len(bare) - 1} more" if len(bare) > 1 else ""
                words = f"selects {bare[0]}{more}, which has no proxy to enforce this: {outside_mesh(evidence, bare[0])}"
                places = ((f"{w.kind} {w} has no proxy", w.meta, ("metadata", "name")) for w in bare[:5])
                yield found(policy.meta, ("spec", "selector"), words, *places)


def _is_bare(evidence: Evidence, workload: Workload) -> bool:
    return not workload.host_network and workload.kind not in ("Job", "CronJob") and outside_mesh(evidence, workload) is not None
