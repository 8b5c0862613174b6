"""The selector of a PeerAuthentication selects no workload, so its mode is never applied.

## Finds

PeerAuthentications whose `selector` matches no pod of their namespace; and those with a selector in the root namespace, where Istio reads
none.

## Why it matters

The workload that was meant keeps the mode of its namespace: a STRICT that protects nothing, or a PERMISSIVE that a caller waits for.

## Avoid

```yaml
metadata: {namespace: shop}
spec: {selector: {matchLabels: {app: carts}}, mtls: {mode: STRICT}}    # the pods have app=cart
```

## Prefer

```yaml
metadata: {namespace: shop}
spec: {selector: {matchLabels: {app: cart}}, mtls: {mode: STRICT}}
```

## Exceptions

Policies that are applied before their workload.

## Silent when

The world is open: the workload may be in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import unmatched


@rule("MC416", "peer-auth-selects-nothing", severity="warning", needs="absence", kinds=("Workload",))
def check(evidence: Evidence) -> Iterator[Found]:
    """PeerAuthentications that select nothing."""
    root = evidence.world.mesh.root_namespace
    for policy in evidence.of("PeerAuthentication"):
        if policy.selector and policy.meta.namespace == root:
            message = f"Istio reads no selectors of PeerAuthentications in the root namespace `{root}`: its mode is never applied"
            yield found(policy.meta, ("spec", "selector"), message)
    for policy, hint in unmatched(evidence, "PeerAuthentication"):
        if policy.meta.namespace != root:
            yield found(policy.meta, ("spec", "selector"), f"selects no workload in its namespace, so its mode is never applied{hint}")
