"""HTTP routes at a gateway that does not decrypt, so they are never used.

## Finds

VirtualServices with `http` routes whose hosts are served by the named Gateways only on servers that pass TLS through or speak plain TCP.

## Why it matters

The bytes are opaque there: paths, headers, rewrites and CORS of the route do nothing, and without a `tls` or `tcp` route the connection is
reset.

## Avoid

```yaml
kind: Gateway
spec: {servers: [{port: {number: 443, name: tls, protocol: TLS}, tls: {mode: PASSTHROUGH}, hosts: ["shop.example.com"]}]}
---
kind: VirtualService
spec: {http: [{route: [{destination: {host: web}}]}]}
```

## Prefer

```yaml
kind: VirtualService
spec: {tls: [{match: [{sniHosts: [shop.example.com]}], route: [{destination: {host: web}}]}]}
```

## Exceptions

VirtualServices that are for sidecars, too (`mesh`), use their HTTP routes there and are left out.

## Silent when

One of the named Gateways is not in the input.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.gateway_routes import gateways_by_name
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.gateway.servers import Bound
from meshcheck.semantics.gateway.virtual_hosts import shared_hosts


@rule("MC823", "l7-on-passthrough", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """HTTP routes where nothing reads HTTP."""
    known = gateways_by_name(evidence)
    for virtual in evidence.of("VirtualService"):
        if not virtual.http or "mesh" in virtual.gateways or any(name not in known for name in virtual.gateways):
            continue
        every = [Bound(known[name], server) for name in virtual.gateways for server in known[name].servers]
        servers = [bound for bound in every if shared_hosts(bound.server.hosts, virtual)]
        if servers and not any(bound.is_plain_http or bound.terminates_http for bound in servers):
            first = servers[0]
            how = "passes TLS through" if first.passes_through else f"speaks {first.server.protocol}, not HTTP"
            message = f"never used: the server of Gateway {first.gateway_name} for these hosts {how}"
            yield found(virtual.meta, ("spec", "http"), message, ("the server", first.gateway.meta, first.server.field))
