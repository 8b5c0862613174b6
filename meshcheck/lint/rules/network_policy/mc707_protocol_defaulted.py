"""Port 53 without a protocol is TCP, and DNS asks over UDP.

## Finds

Entries of `ports` with port 53 and no `protocol`, in a rule that does not open UDP 53 besides.

## Why it matters

A port without a protocol is TCP. Names are looked up over UDP first, so every call ends as a lookup that times out.

## Avoid

```yaml
ports: [{port: 53}]
```

## Prefer

```yaml
ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
```

## Exceptions

A resolver that asks over TCP only.

## Silent when

The entry has a protocol, or another port.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS, covers_number, is_single
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule


@rule("MC707", "protocol-defaulted", severity="warning", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """DNS over TCP alone."""
    for policy in evidence.of("NetworkPolicy"):
        raw = evidence.raw(policy.meta).get("spec") or {}
        rules = [(d, one) for d in DIRECTIONS if d in policy.directions for one in policy.rules(d)]
        for direction, one in rules:
            if any(d == direction and covers_number(other, "UDP", 53) for d, other in rules):
                continue
            for number, span in enumerate(one.ports):
                if is_single(span) and span.low == 53 and "protocol" not in raw[direction][one.index]["ports"][number]:
                    fix = adding(policy.meta, (*span.field, "protocol"), "UDP", "open UDP, which DNS uses", safe=False)
                    yield found(
                        policy.meta, (*span.field, "port"), "port 53 without `protocol` is TCP only: DNS over UDP stays closed", fix=fix
                    )
