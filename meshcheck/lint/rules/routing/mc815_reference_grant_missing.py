"""A route or Gateway refers to an object of another namespace, and no ReferenceGrant there permits it.

## Finds

`backendRefs` of routes that are attached to gateways, and `certificateRefs` of listeners, into other namespaces without a ReferenceGrant
that names the kind and namespace of the referrer and the kind (and name) of the target.

## Why it matters

Without the grant requests that the rule takes get 500, and a listener without its certificate does not exist.

## Avoid

```yaml
kind: HTTPRoute
metadata: {namespace: shop}
spec: {rules: [{backendRefs: [{name: billing, namespace: finance, port: 80}]}]}
```

## Prefer

```yaml
kind: ReferenceGrant
metadata: {namespace: finance}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}]
  to: [{group: "", kind: Service, name: billing}]
```

## Exceptions

Routes inside the mesh, whose parent is a Service, need no grant.

## Silent when

The world is open: the grant may be in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.gateway_api import ObjectReference
from meshcheck.model.objects import Meta
from meshcheck.semantics.gateway_api.attachment import KINDS
from meshcheck.semantics.gateway_api.grants import permitted


@rule("MC815", "reference-grant-missing", severity="error", needs="absence", kinds=("ReferenceGrant",))
def check(evidence: Evidence) -> Iterator[Found]:
    """References that nobody permits."""
    for kind in KINDS:
        for route in evidence.of(kind):
            if not any(parent.kind != "Service" for parent in route.parents):
                continue
            for one in route.rules:
                for ref in one.backends:
                    target = ObjectReference(ref.group, ref.kind, ref.namespace, ref.name, ref.field)
                    yield from _judged(evidence, route.meta, kind, target, "requests get 500")
    for kind in ("Gateway", "ListenerSet"):
        for item in evidence.of(kind):
            for listener in item.listeners:
                for target in listener.certificates:
                    yield from _judged(evidence, item.meta, kind, target, f"listener `{listener.name}` does not work")


def _judged(evidence: Evidence, meta: Meta, kind: str, target: ObjectReference, so: str) -> Iterator[Found]:
    if permitted(evidence.world, kind, meta.namespace, target):
        return
    grants = [g for g in evidence.of("ReferenceGrant") if g.meta.namespace == target.namespace]
    message = (
        f"no ReferenceGrant in namespace `{target.namespace}` lets {kind} of `{meta.namespace}` use {target.kind} `{target.name}`: {so}"
    )
    yield found(meta, (*target.field, "namespace"), message, *(("a grant there", g.meta, ("spec",)) for g in grants[:1]))
