"""A principal has `cluster.local` in a form that stands for that trust domain alone, and the mesh has another one.

## Finds

`principals` and `source.principal` with a wildcard, or in another form than the five parts, that begin with `cluster.local/`, where mesh
config has another trust domain and no such alias.

## Why it matters

Istio rewrites `cluster.local` to the mesh's trust domain in the form `cluster.local/ns/NAMESPACE/sa/ACCOUNT` only.
`cluster.local/ns/shop/*` stays as it is: it works in the lab and answers 403 in production (istio/istio#47322).

## Avoid

```yaml
principals: ["cluster.local/ns/shop/*"]
```

## Prefer

```yaml
namespaces: [shop]   # or principals: ["prod.example.com/ns/shop/*"]
```

## Exceptions

A federated mesh whose trust domain really is `cluster.local`.

## Silent when

Mesh config is not in the input, or has `cluster.local` as its trust domain or an alias.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import texts_of
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.authorization.peers import SCHEME, compile_principal

_DEFAULT = "cluster.local"


@rule("MC205", "trust-domain-mismatch", severity="error", confidence="medium", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Principals of the default trust domain that this mesh does not read as its own."""
    domains = evidence.world.mesh.trust_domains
    if _DEFAULT in domains:
        return
    for policy, path, value in texts_of(evidence, "principals", "source.principal"):
        domain, slash, rest = value.partition("/")
        if domain != _DEFAULT or not slash or not rest.startswith("ns/"):
            continue
        match = compile_principal(value, domains)
        if not any(match(f"{SCHEME}{own}/{rest.rstrip('*')}") for own in domains):
            meant = f"{domains[0]}/{rest}"
            fix = replacing(policy.meta, path, meant, f"write `{meant}`", safe=False)
            words = f"`{value}` never matches: the trust domain is `{domains[0]}`, and `{_DEFAULT}` stands for it in five parts only"
            yield found(policy.meta, path, f"{words}; write `{meant}`", fix=fix)
