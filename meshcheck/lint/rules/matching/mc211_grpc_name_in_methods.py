"""The name of a gRPC method stands in `methods`, where it never matches.

## Finds

`methods` and `notMethods` with a value that looks like an RPC: `GetCart`, `/shop.Cart/GetCart`, `shop.Cart`.

## Why it matters

Every gRPC call is a `POST`; service and method are its path. An ALLOW by RPC name in `methods` admits nothing.

## Avoid

```yaml
methods: ["GetCart"]
```

## Prefer

```yaml
methods: ["POST"]
paths: ["/shop.Cart/GetCart"]
```

## Exceptions

None that is known.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import operation_values
from meshcheck.lint.methods import is_method, is_rpc
from meshcheck.lint.patterns import is_regex
from meshcheck.lint.rule import Found, found, rule


@rule("MC211", "grpc-name-in-methods", severity="error", confidence="medium", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Methods that look like names of RPCs."""
    for policy, path, value in operation_values(evidence, "methods"):
        if is_rpc(value) and not is_method(value.upper()) and not is_regex(value):
            meant = value if value.startswith("/") else f"/PACKAGE.SERVICE/{value}"
            yield found(
                policy.meta, path, f"`{value}` never matches: gRPC calls are POST, and the name is their path; use paths: [`{meant}`]"
            )
