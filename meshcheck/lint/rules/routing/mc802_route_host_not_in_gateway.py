"""A VirtualService and the Gateway that it names have no host in common.

## Finds

Hosts of a VirtualService for gateways that none of the named Gateways serves to its namespace; of a VirtualService that is for sidecars,
too (`mesh`), only Gateways with which it has no host in common at all.

## Why it matters

The gateway has no route for the host and answers 404, or resets a TLS connection whose name it does not know.

## Avoid

```yaml
kind: Gateway
spec: {servers: [{hosts: ["shop.example.com"]}]}
---
kind: VirtualService
spec: {hosts: [www.example.com], gateways: [public]}
```

## Prefer

```yaml
kind: Gateway
spec: {servers: [{hosts: ["shop.example.com", "www.example.com"]}]}
```

## Exceptions

None. `NAMESPACE/HOST` in a Gateway takes VirtualServices of that namespace only; `./HOST` those of the Gateway's own.

## Silent when

One of the named Gateways is not in the input.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.gateway_routes import gateways_by_name
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_gateway import Gateway
from meshcheck.model.istio_networking import VirtualService
from meshcheck.model.record import replace
from meshcheck.semantics.gateway.virtual_hosts import shared_hosts


@rule("MC802", "route-host-not-in-gateway", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Hosts that no gateway serves."""
    known = gateways_by_name(evidence)
    for virtual in evidence.of("VirtualService"):
        names = [name for name in virtual.gateways if name != "mesh"]
        if not names or not virtual.hosts or any(name not in known for name in names):
            continue
        for_sidecars = "mesh" in virtual.gateways
        for number, host in enumerate(() if for_sidecars else virtual.hosts):
            if not any(_serves(known[name], virtual, host) for name in names):
                yield _finding(virtual, ("spec", "hosts", number), f"`{host}`", [known[name] for name in names])
        for number, name in enumerate(virtual.gateways if for_sidecars else ()):
            if name != "mesh" and not any(_serves(known[name], virtual, host) for host in virtual.hosts):
                yield _finding(virtual, ("spec", "gateways", number), listed(virtual.hosts), [known[name]])


def _serves(gateway: Gateway, virtual: VirtualService, host: str) -> bool:
    one = replace(virtual, hosts=(host,))
    return any(shared_hosts(server.hosts, one) for server in gateway.servers)


def _finding(virtual: VirtualService, field: tuple[str | int, ...], hosts: str, gateways: list[Gateway]) -> Found:
    names = listed(f"{g.meta.namespace}/{g.meta.name}" for g in gateways)
    there = listed((host for g in gateways for server in g.servers for host in server.hosts), 5)
    message = f"Gateway {names} does not serve {hosts} to namespace {virtual.meta.namespace} (its hosts: {there}): callers get 404"
    return found(virtual.meta, field, message, *(("the Gateway", g.meta, (*g.servers[0].field, "hosts")) for g in gateways if g.servers))
