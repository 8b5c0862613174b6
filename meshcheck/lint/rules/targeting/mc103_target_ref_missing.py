"""`targetRefs` names an object that is not there, so the policy is attached to nothing.

## Finds

AuthorizationPolicies and RequestAuthentications whose `targetRef` or `targetRefs` name a Gateway, Service, ServiceEntry or GatewayClass
that does not exist in the namespace of the policy.

## Why it matters

The policy is accepted and does nothing. For an ALLOW that means that the door stays open; for a DENY that nothing is blocked.

## Avoid

```yaml
metadata: {namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: publik}]
```

## Prefer

```yaml
metadata: {namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: public}]
```

## Exceptions

Policies that are applied before their target. The classes that Istio makes by itself (`istio`, `istio-waypoint` and others) are known.

## Silent when

The world is open: the target may be in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_security import AuthorizationPolicy, RequestAuthentication, TargetRef
from meshcheck.semantics.gateway_api.classes import BUILT_IN
from meshcheck.semantics.world.names import nearest

_KINDS = {"Gateway": "Gateway", "Service": "Service", "ServiceEntry": "ServiceEntry", "GatewayClass": "GatewayClass"}


@rule("MC103", "target-ref-missing", severity="error", needs="absence", kinds=tuple(_KINDS))
def check(evidence: Evidence) -> Iterator[Found]:
    """Targets that do not exist."""
    for policy in (*evidence.of("AuthorizationPolicy"), *evidence.of("RequestAuthentication")):
        single = "targetRef" in (evidence.raw(policy.meta).get("spec") or {})
        for number, target in enumerate(policy.attachment.targets):
            if target.kind in _KINDS and (hint := _missing(evidence, policy, target)) is not None:
                field = ("spec", "targetRef", "name") if single else ("spec", "targetRefs", number, "name")
                yield found(policy.meta, field, f"there is no {target.kind} `{target.name}`{hint}, so the policy is attached to nothing")


def _missing(evidence: Evidence, policy: AuthorizationPolicy | RequestAuthentication, target: TargetRef) -> str | None:
    """Where the target is not, and what there is instead; None where it exists."""
    every = evidence.of(_KINDS[target.kind])
    if target.kind == "GatewayClass":
        names = {item.meta.name for item in every} | set(BUILT_IN)
        return None if target.name in names else _near(target.name, names)
    namespace = policy.meta.namespace
    names = {item.meta.name for item in every if item.meta.namespace == namespace}
    if target.name in names:
        return None
    elsewhere = next((item.meta.namespace for item in every if item.meta.name == target.name), None)
    if elsewhere:
        return f" in namespace `{namespace}`, only in `{elsewhere}`: a policy attaches to objects of its own namespace"
    return f" in namespace `{namespace}`{_near(target.name, names)}"


def _near(name: str, names: set[str]) -> str:
    near = nearest(name, sorted(names))
    return f" (did you mean `{near}`?)" if near else ""
