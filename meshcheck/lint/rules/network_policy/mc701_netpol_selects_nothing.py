"""The podSelector of a NetworkPolicy selects no pod.

## Finds

NetworkPolicies whose `podSelector` matches no workload of their namespace, where the namespace has workloads.

## Why it matters

The pods that were meant are not isolated, or not opened: a policy that selects nothing does nothing.

## Avoid

```yaml
spec: {podSelector: {matchLabels: {app: carts}}}    # the pods have app=cart
```

## Prefer

```yaml
spec: {podSelector: {matchLabels: {app: cart}}}
```

## Exceptions

Pods that an operator makes, and of which no manifest tells.

## Silent when

The world is open; no workload of the namespace was read.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import near_label


@rule("MC701", "netpol-selects-nothing", severity="warning", needs="absence", kinds=("Workload",))
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies without pods."""
    for policy in evidence.of("NetworkPolicy"):
        workloads = evidence.world.workloads_in(policy.meta.namespace)
        if workloads and not any(policy.pods.matches(w.pod_labels) for w in workloads):
            wanted = {r.key: r.values[0] for r in policy.pods.requirements if r.operator == "In"}
            words = f"selects no pod of namespace `{policy.meta.namespace}`, so it does nothing{near_label(wanted, workloads)}"
            yield found(policy.meta, ("spec", "podSelector"), words)
