"""A DestinationRule makes callers talk in a way that the server refuses.

## Finds

TLS modes of DestinationRules (top level, ports and subsets) that contradict the mTLS mode of the called workload's port: plaintext to
STRICT, mTLS to DISABLE or to a pod without a sidecar, TLS of its own to a sidecar that takes the mesh's only.

## Why it matters

The connection is refused before any policy is asked: callers get 503 with `connection termination` or `TLS_error`, which looks like a
crashed server. Callers without such a rule are fine, because automatic mTLS looks at the server.

## Avoid

```yaml
kind: DestinationRule
spec: {host: cart, trafficPolicy: {tls: {mode: DISABLE}}}
---
kind: PeerAuthentication
spec: {mtls: {mode: STRICT}}
```

## Prefer

```yaml
kind: DestinationRule
spec: {host: cart}             # without `tls` automatic mTLS decides
```

## Exceptions

A rule that no caller follows.

## Silent when

Whether the server has a sidecar is not known; the server's application may speak TLS (mode SIMPLE to a pod without a sidecar).
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.client_tls import WORDS, Leg, legs, without_tls
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.objects import Meta, Path
from meshcheck.semantics.tracing.server import peer_mode


@rule("MC409", "client-tls-mismatch", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Rules whose calls are refused."""
    refused: dict[tuple[Meta, Path], list[Leg]] = {}
    for leg in legs(evidence):
        if leg.refused is not None and leg.field:
            refused.setdefault((leg.rule.meta, leg.field), []).append(leg)
    for (meta, field), found_legs in refused.items():
        first = found_legs[0]
        ports = listed(f"{leg.server}:{leg.number}" for leg in found_legs)
        message = f"calls go to {ports} as {WORDS[first.kind]}, and are refused there: {first.refused}"
        mode = peer_mode(evidence.world, first.server, first.number)
        related = [("the server's mode", mode.policy.meta, mode.field)] if mode.policy is not None and first.sidecar else []
        fix = without_tls(evidence, first.rule, field) if first.kind != "tls" else None
        yield found(meta, field, message, *related, fix=fix)
