"""A CUSTOM policy names an authorizer that Istio cannot use, so everything that its rules match is denied.

## Finds

CUSTOM policies whose `provider` is no extensionProvider of mesh config, or one that Istio cannot use: not an authorizer, a name that is no
lower-case label, a name that occurs twice, a Service that the mesh does not know, a port out of range.

## Why it matters

Istio does not skip such a policy: it turns its rules into DENY. Each call that they match gets 403, and the authorizer never hears of it.

## Avoid

```yaml
action: CUSTOM
provider: {name: oauth2_proxy}       # mesh config has oauth2-proxy
```

## Prefer

```yaml
action: CUSTOM
provider: {name: oauth2-proxy}
```

## Exceptions

Mesh config that another revision of istiod reads.

## Silent when

Mesh config is not in the input and the world is open. In a closed world without mesh config the confidence is medium.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.objects import Meta, Path
from meshcheck.semantics.authorization.custom import unusable

_FIELD: Path = ("spec", "provider", "name")


@rule("MC516", "ext-authz-provider-unknown", severity="error", needs="documents", audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Providers that make a policy deny."""
    mesh = evidence.world.mesh
    if not (mesh.known or evidence.world.closed):
        return
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action != "CUSTOM":
            continue
        name = policy.provider or ""
        provider = next((p for p in mesh.providers if p.name == name), None)
        trouble = unusable(name, provider, evidence.world)
        if trouble is None:
            continue
        related: tuple[tuple[str, Meta, Path], ...] = (("mesh config", mesh.meta, ("data", "mesh")),) if mesh.meta is not None else ()
        authorizers = [p.name for p in mesh.providers if p.kind.startswith("envoyExtAuthz")]
        near = get_close_matches(name, authorizers, 1) if provider is None else []
        if not mesh.known:
            trouble = "the input holds no mesh config, so there are no extensionProviders"
        message = f"authorizer `{name}` cannot be used: {trouble}; what the rules match is denied with 403"
        if near:
            message += f"; did you mean `{near[0]}`?"
        fix = replacing(policy.meta, _FIELD, near[0], f"name the authorizer `{near[0]}`", safe=False) if near else None
        yield found(policy.meta, _FIELD, message, *related, fix=fix, confidence=None if mesh.known else "medium")
