"""A rule names a namespace that does not exist.

## Finds

`namespaces`, `notNamespaces` and `source.namespace` with a name, or a pattern, that no namespace has.

## Why it matters

An ALLOW admits nobody by it, a DENY blocks nobody, a `notNamespaces` exempts nobody.

## Avoid

```yaml
namespaces: [shop-prd]
```

## Prefer

```yaml
namespaces: [shop-prod]
```

## Exceptions

Namespaces that are made later, and those of other clusters of the mesh. Kubernetes' own namespaces and the root namespace are taken as
known.

## Silent when

The world is open: what is missing may be in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import texts_of
from meshcheck.lint.identities import ALWAYS_THERE
from meshcheck.lint.patterns import is_regex
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.authorization.peers import compile_namespace
from meshcheck.semantics.world.names import nearest


@rule("MC206", "unknown-namespace", severity="warning", confidence="medium", needs="absence", kinds=("Namespace",))
def check(evidence: Evidence) -> Iterator[Found]:
    """Namespaces that are not there."""
    world = evidence.world
    known = {*world.namespaces, *ALWAYS_THERE, world.mesh.root_namespace}
    for policy, path, value in texts_of(evidence, "namespaces", "source.namespace"):
        if value in known or is_regex(value):
            continue
        if "*" in value:
            match = compile_namespace(value)
            if not any(match(f"spiffe://x/ns/{name}/sa/x") for name in known):
                yield found(policy.meta, path, f"no namespace is called like `{value}`")
            continue
        near = _near(evidence, value)
        fix = replacing(policy.meta, path, near, f"write `{near}`", safe=False) if near else None
        yield found(policy.meta, path, f"there is no namespace `{value}`" + (f"; did you mean `{near}`?" if near else ""), fix=fix)


def _near(evidence: Evidence, name: str) -> str | None:
    """The namespace that a name is most like."""
    return evidence.once(("near namespace", name), lambda: nearest(name, list(evidence.world.namespaces)))
