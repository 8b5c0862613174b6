"""A workload has no AuthorizationPolicy, although others of its namespace have.

## Finds

Workloads with a sidecar and a Service to which no AuthorizationPolicy applies (dry-run and AUDIT do not count), in namespaces in which a
policy applies to another workload.

## Why it matters

Without a policy every caller of the mesh, and with PERMISSIVE mTLS every caller of the cluster, is let in. That its neighbours are
protected makes it look as if it were, too.

## Avoid

```yaml
spec:
  selector: {matchLabels: {app: cart}}     # and nothing for app=orders
```

## Prefer

```yaml
spec: {}                                   # nothing is allowed by default; then one policy for each workload
```

## Exceptions

Workloads that are meant to be open.

## Silent when

The policy may be elsewhere (open world); the namespace has no policies at all; no Service leads to the workload.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import proxies
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.semantics.gateway.pods import is_gateway


@rule(
    "MC305",
    "workload-uncovered",
    severity="warning",
    needs="absence",
    kinds=("AuthorizationPolicy", "Workload", "Service"),
    audience="security",
)
def check(evidence: Evidence) -> Iterator[Found]:
    """Workloads that were left out."""
    world = evidence.world
    serving = [w for w in proxies(evidence) if w.meta.origin and not is_gateway(w) and w.kind not in ("Job", "CronJob")]
    covered = {w.namespace for w in serving if _is_covered(evidence, w)}
    for workload in serving:
        if workload.namespace in covered and not _is_covered(evidence, workload) and world.services_of(workload):
            message = (
                f"no AuthorizationPolicy applies to it, although others of namespace {workload.namespace} have one: every caller gets in"
            )
            yield found(workload.meta, ("metadata", "name"), message)


def _is_covered(evidence: Evidence, workload: Workload) -> bool:
    policies = evidence.world.authorization_policies(workload)
    return any(policy.action != "AUDIT" and not policy.dry_run for policy in policies)
