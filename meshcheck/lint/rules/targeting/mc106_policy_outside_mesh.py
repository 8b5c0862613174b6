"""A policy lives in a namespace without any proxy of Istio, so it enforces nothing.

## Finds

AuthorizationPolicies, RequestAuthentications and PeerAuthentications without a selector in a namespace in which no workload has a sidecar,
none is in ambient mode, and none is a gateway.

## Why it matters

Istio's policies are enforced by proxies. The policy reads like protection, and every call passes.

## Avoid

```yaml
kind: Namespace
metadata: {name: shop}
---
kind: AuthorizationPolicy
metadata: {name: deny, namespace: shop}
```

## Prefer

```yaml
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
```

## Exceptions

A namespace that will be enrolled later; sidecars that an injector of your own adds (say `--sidecars shop`).

## Silent when

The world is open: what is missing may be in another file. Policies with a selector are MC107's. Namespaces without workloads, and those
with a Gateway of Gateway API, are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import servers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import outside_mesh

_KINDS = ("AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication")


@rule("MC106", "policy-outside-mesh", severity="warning", confidence="medium", needs="absence", kinds=("Workload", "Namespace", "Gateway"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Policies of a whole namespace that is not in the mesh."""
    outside = _outside(evidence)
    for kind in _KINDS:
        for policy in evidence.of(kind):
            selector = policy.selector if kind == "PeerAuthentication" else policy.attachment.selector or policy.attachment.targets
            namespace = policy.meta.namespace
            if not selector and namespace in outside and namespace != evidence.world.mesh.root_namespace:
                words = f"no proxy enforces this: none of the workloads in namespace `{namespace}` is in the mesh ({outside[namespace]})"
                yield found(policy.meta, ("metadata", "namespace"), words)


def _outside(evidence: Evidence) -> dict[str, str]:
    """Namespaces that have workloads, and no proxy for any of them: name → why."""
    out: dict[str, str] = {}
    inside = {gateway.meta.namespace for gateway in evidence.of("Gateway")}
    for workload in servers(evidence):
        why = outside_mesh(evidence, workload)
        if why is None:
            inside.add(workload.namespace)
        else:
            out.setdefault(workload.namespace, why)
    return {name: why for name, why in out.items() if name not in inside}
