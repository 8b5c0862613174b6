"""A request principal is not ISSUER/SUBJECT, so it never matches.

## Finds

`requestPrincipals`, `notRequestPrincipals` and `request.auth.principal` with an issuer alone, with a star right behind the issuer, or with
`*/*`.

## Why it matters

Istio cuts the value at its last slash: what stands before is the issuer, what stands behind is the subject. `https://id.example.com*` is
the issuer `https:/`. `*/*` asks for the subject `*`. No token has these.

## Avoid

```yaml
requestPrincipals: ["https://id.example.com", "*/*"]
```

## Prefer

```yaml
requestPrincipals: ["https://id.example.com/*", "*"]
```

## Exceptions

Tokens with a subject of their own making that begins like a URL.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import texts_of
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule


@rule("MC237", "request-principal-format", severity="error", confidence="medium", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Request principals that no token has."""
    for policy, path, value in texts_of(evidence, "requestPrincipals", "request.auth.principal"):
        reading, meant = _reading(value)
        if reading:
            fix = replacing(policy.meta, path, meant, f"write `{meant}`", safe=False)
            yield found(policy.meta, path, f"`{value}` never matches: {reading}; write `{meant}`", fix=fix)


def _reading(value: str) -> tuple[str, str]:
    """(how Istio reads a value that cannot match, what is likely meant); empty texts for others."""
    if value == "*/*":
        return "it asks for a token whose subject is a star", "*"
    issuer, slash, _ = value.rpartition("/")
    if not slash and "*" not in value:
        return "it has no slash, so it asks for an empty subject", f"{value}/*"
    if issuer in ("https:/", "http:/") and not value.startswith("*"):
        return f"it is cut at its last slash, so the issuer would be `{issuer}`", f"{value.rstrip('*')}/*"
    return "", ""
