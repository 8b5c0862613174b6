"""An inline key set holds a private or secret key: whoever reads the manifest can sign tokens.

## Finds

Keys in `jwks` of RequestAuthentications with private parameters (`d`, `p`, `q` …), and symmetric keys (`kty: oct`), which sign as well as
they verify.

## Why it matters

Verifying needs the public half only. With the private one anybody who can read the manifest, its repository or the cluster's
RequestAuthentications makes tokens for any user.

## Avoid

```yaml
jwks: '{"keys": [{"kty": "RSA", "e": "AQAB", "n": "…", "d": "…"}]}'
```

## Prefer

```yaml
jwks: '{"keys": [{"kty": "RSA", "e": "AQAB", "n": "…"}]}'
```

## Exceptions

Keys of a demonstration that never verify anything real. Replace a key that was ever published; to remove it is not enough.

## Silent when

Never: one document is enough. The value of the key is not shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule

_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth")


@rule("MC509", "private-key-in-jwks", severity="error", needs="document", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Keys that must not be there."""
    for policy in evidence.of("RequestAuthentication"):
        for one in policy.rules:
            for number, key in enumerate(_keys(one.jwks or "")):
                name = f"key `{key['kid']}`" if isinstance(key.get("kid"), str) else f"key {number}"
                private = [part for part in _PRIVATE if part in key]
                if private:
                    words = f"{name} of `{one.issuer}` is a private one (it has `{private[0]}`): who reads this can sign tokens"
                elif key.get("kty") == "oct" and key.get("k"):
                    words = f"{name} of `{one.issuer}` is a shared secret: who reads this can sign tokens"
                else:
                    continue
                yield found(policy.meta, (*one.path, "jwks"), words)


def _keys(text: str) -> list[dict[str, Any]]:
    """The keys of a key set, or of a lone key; Istio reads the first JSON value of the text."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return []
    keys = value.get("keys", [value]) if isinstance(value, dict) else []
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
