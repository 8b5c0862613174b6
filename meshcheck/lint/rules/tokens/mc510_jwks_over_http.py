"""Keys are fetched without TLS: whoever is on the way can put in keys of their own.

## Finds

`jwksUri` with `http://`, and issuers with `http://` whose keys are looked up from the issuer (neither `jwks` nor `jwksUri`).

## Why it matters

Whoever answers in place of the issuer decides which tokens are good, and so who every user is.

## Avoid

```yaml
jwksUri: http://idp.example.com/keys
```

## Prefer

```yaml
jwksUri: https://idp.example.com/keys
```

## Exceptions

A Service of the same cluster, where the network is trusted: a note only.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule


@rule("MC510", "jwks-over-http", severity="warning", needs="document", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Keys from a connection that anybody can answer."""
    for policy in evidence.of("RequestAuthentication"):
        for one in policy.rules:
            uri, field = (one.jwks_uri, "jwksUri") if one.jwks_uri else ("" if one.jwks else one.issuer, "issuer")
            if not uri or not uri.lower().startswith("http://"):
                continue
            inside = _is_inside(uri)
            message = f"the keys of `{one.issuer or uri}` come without TLS: whoever answers in its place can sign tokens"
            yield found(policy.meta, (*one.path, field), message, severity="info" if inside else None)


def _is_inside(uri: str) -> bool:
    """Whether a URI's host is a name of the cluster."""
    try:
        host = urlsplit(uri).hostname or ""
    except ValueError:
        return False
    return "." not in host or host.endswith((".svc", ".svc.cluster.local"))
