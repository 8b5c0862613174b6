"""Any page on the web may call with the user's cookies.

## Finds

CORS policies of VirtualServices and HTTPRoutes that allow credentials to every origin: `*`, an empty prefix, or a regular expression for
everything.

## Why it matters

The proxy answers with the origin that asked, so the browser sends cookies and client certificates along and hands the answer to the page,
whoever made it. Where `*` itself were answered, browsers would refuse instead.

## Avoid

```yaml
corsPolicy:
  allowOrigins: [{regex: ".*"}]
  allowCredentials: true
```

## Prefer

```yaml
corsPolicy:
  allowOrigins: [{exact: "https://shop.example.com"}]
  allowCredentials: true
```

## Exceptions

None for routes that know their users by cookies. Public data needs no credentials: leave `allowCredentials` out.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.cors import cors_policies
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.routing.cors import allows_origin

_STRANGERS = ("https://a.example", "http://evil.test:8080")


@rule("MC514", "cors-wildcard-credentials", severity="error", needs="document", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """CORS policies that let every page in, with credentials."""
    for meta, field, policy in cors_policies(evidence):
        if policy.get("allowCredentials") is True and all(allows_origin(policy, origin) for origin in _STRANGERS):
            where = next((key for key in ("allowOrigins", "allowOrigin") if policy.get(key)), "allowCredentials")
            yield found(meta, (*field, where), "every origin is allowed with credentials: any page can call as the user who visits it")
