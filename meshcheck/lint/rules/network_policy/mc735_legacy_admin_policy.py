"""AdminNetworkPolicy and BaselineAdminNetworkPolicy are replaced by ClusterNetworkPolicy.

## Finds

Objects of kinds AdminNetworkPolicy and BaselineAdminNetworkPolicy.

## Why it matters

The project that defines them goes on with ClusterNetworkPolicy, which has both as tiers. Network plugins that implement the new kind drop
the old ones one after the other.

## Avoid

```yaml
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
```

## Prefer

```yaml
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
spec: {tier: Admin}
```

## Exceptions

A plugin that does not know ClusterNetworkPolicy yet.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, rule

_KINDS = {"AdminNetworkPolicy": "Admin", "BaselineAdminNetworkPolicy": "Baseline"}


@rule("MC735", "legacy-admin-policy", severity="info", needs="document", audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Objects of the old kinds."""
    for kind, tier in _KINDS.items():
        for ref, origin, _ in evidence.written(kind):
            yield Found(f"{kind} is replaced by ClusterNetworkPolicy with `tier: {tier}`", ref, origin, ("kind",))
