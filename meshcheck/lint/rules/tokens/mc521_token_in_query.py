"""Tokens are taken from the URL, which ends up in logs.

## Finds

`fromParams` of RequestAuthentications.

## Why it matters

URLs are written to access logs, kept in browsers' histories and sent on as `Referer`. Whoever reads them has the token until it expires.

## Avoid

```yaml
fromParams: [token]
```

## Prefer

```yaml
fromHeaders: [{name: Authorization, prefix: "Bearer "}]
```

## Exceptions

Clients that can set no header, such as WebSockets in browsers; then keep the tokens short-lived.

## Silent when

Never: one document is enough. (Without any `from…` Istio looks at the parameter `access_token`, too; that is not reported.)
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule


@rule("MC521", "token-in-query", severity="info", needs="document", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Tokens in URLs."""
    for policy in evidence.of("RequestAuthentication"):
        for one in policy.rules:
            for number, name in enumerate(one.params):
                message = f"tokens of `{one.issuer}` may come in the URL (`?{name}=…`), and so into access logs"
                yield found(policy.meta, (*one.path, "fromParams", number), message)
