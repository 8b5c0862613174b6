"""A principal begins with `spiffe://`, so it never matches.

## Finds

`principals`, `notPrincipals` and `source.principal` with a value that begins with the SPIFFE scheme.

## Why it matters

Istio puts `spiffe://` before the value. With two schemes an ALLOW admits nobody, a DENY blocks nobody, and a `notPrincipals` excludes
nobody.

## Avoid

```yaml
principals: ["spiffe://cluster.local/ns/shop/sa/frontend"]
```

## Prefer

```yaml
principals: ["cluster.local/ns/shop/sa/frontend"]
```

## Exceptions

None.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import texts_of
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule

_SCHEME = "spiffe://"


@rule("MC202", "principal-with-scheme", severity="error", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Principals with a scheme."""
    for policy, path, value in texts_of(evidence, "principals", "source.principal"):
        if value.lower().startswith(_SCHEME):
            bare = value[len(_SCHEME) :]
            fix = replacing(policy.meta, path, bare, f"write `{bare}`") if bare else None
            yield found(policy.meta, path, f"`{value}` never matches: principals are written without `spiffe://`", fix=fix)
