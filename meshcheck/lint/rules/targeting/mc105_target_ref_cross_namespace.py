"""`targetRefs` names a namespace or a kind to which policies cannot attach.

## Finds

AuthorizationPolicies and RequestAuthentications whose `targetRef` or `targetRefs` have a `namespace`, or a group and kind other than
Service, ServiceEntry, Gateway and GatewayClass; a Service in group `apps`, say, or a Deployment.

## Why it matters

A policy attaches to objects of its own namespace only. The object is refused, and the protection that it stands for does not exist.

## Avoid

```yaml
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: public, namespace: ingress}]
```

## Prefer

```yaml
metadata: {namespace: ingress}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: public}]
```

## Exceptions

None: the CRD and Istio's webhook refuse it.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from meshcheck.decode.admission import Problem
from meshcheck.lint.rule import refusal


@refusal("MC105", "target-ref-cross-namespace")
def claims(kind: str, problem: Problem) -> bool:
    """Refusals of a target's namespace, group and kind."""
    if kind not in ("AuthorizationPolicy", "RequestAuthentication") or problem.refused_by is None:
        return False
    in_target = problem.path[1:2] in (("targetRef",), ("targetRefs",))
    return in_target and (problem.path[-1] in ("namespace", "group", "kind") or "cannot target" in problem.message)
