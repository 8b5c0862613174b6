"""A principal belongs to a trust domain that is neither the mesh's nor an alias.

## Finds

`principals` and `source.principal` with the five parts whose trust domain mesh config does not name.

## Why it matters

A sidecar takes certificates of its own trust domain, its aliases and configured authorities only. Unless the meshes are federated, the
value is a typo or a leftover, and matches nobody.

## Avoid

```yaml
principals: [old.example.com/ns/shop/sa/frontend]
```

## Prefer

```yaml
principals: [cluster.local/ns/shop/sa/frontend]   # stands for the mesh's own trust domain
```

## Exceptions

Federated meshes with `caCertificates`, and gateways whose clients bring certificates of another trust domain.

## Silent when

Mesh config is not in the input.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import texts_of
from meshcheck.lint.rule import Found, found, rule


@rule("MC204", "foreign-trust-domain", severity="warning", confidence="medium", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Principals of trust domains that mesh config does not name."""
    mesh = evidence.world.mesh
    if not mesh.known:
        return
    for policy, path, value in texts_of(evidence, "principals", "source.principal"):
        parts = value.split("/")
        if (
            len(parts) == 5
            and parts[1::2] == ["ns", "sa"]
            and parts[0] not in ("cluster.local", *mesh.trust_domains)
            and "*" not in parts[0]
        ):
            words = f"trust domain `{parts[0]}` is neither the mesh's own (`{mesh.trust_domain}`) nor an alias"
            yield found(policy.meta, path, words + "; without federation nobody has this identity")
