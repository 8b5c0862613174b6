"""A policy applies to the whole mesh.

## Finds

AuthorizationPolicies and RequestAuthentications without selector and targets in the root namespace, where workloads of other namespaces are
in the input.

## Why it matters

It has the largest reach that a policy can have: every sidecar and every gateway of every namespace. One rule too few in an ALLOW refuses
calls to teams that have never seen the file.

## Avoid

```yaml
kind: AuthorizationPolicy
metadata: {name: allow, namespace: istio-system}
spec:
  rules: [{from: [{source: {namespaces: [shop]}}]}]
```

## Prefer

```yaml
metadata: {name: allow, namespace: shop}   # or a selector
```

## Exceptions

Defaults of the mesh that are meant so: suppress the finding there, with the reason.

## Silent when

No workload of another namespace is in the input.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import servers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_security import AuthorizationPolicy, RequestAuthentication

_KINDS = ("AuthorizationPolicy", "RequestAuthentication")


@rule("MC114", "mesh-wide-policy", severity="info", needs="documents", audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies of the root namespace that select nothing in particular."""
    root = evidence.world.mesh.root_namespace
    wide = [p for kind in _KINDS for p in evidence.of(kind) if p.meta.namespace == root and _is_wide(p)]
    reached = [w for w in servers(evidence) if w.namespace != root] if wide else []
    if reached:
        spaces = len({w.namespace for w in reached})
        count = f"{len(reached)} workload{'s' if len(reached) > 1 else ''} in {spaces} other namespace{'s' if spaces > 1 else ''}"
        for policy in wide:
            yield found(policy.meta, ("metadata", "name"), f"applies to the whole mesh: {count} of the input, and all gateways")


def _is_wide(policy: AuthorizationPolicy | RequestAuthentication) -> bool:
    return not policy.attachment.selector and not policy.attachment.targets
