"""A route leads to a Service with several ports and names none, and the port it comes in on is not one of them.

## Finds

Destinations without `port` in VirtualServices for gateways, to a Service that has several ports, none of which has the number of a server
of the Gateway. Istio then uses the number of the listener.

## Why it matters

The proxy looks for a cluster that does not exist and answers 503 (`NC`).

## Avoid

```yaml
# Gateway: port 443; Service web: ports 8080 and 9090
route: [{destination: {host: web}}]
```

## Prefer

```yaml
route: [{destination: {host: web, port: {number: 8080}}}]
```

## Exceptions

None. A Service with one port needs no `port` in the route.

## Silent when

One of the named Gateways, or the Service, is not in the input; VirtualServices for sidecars, where the port of the call is used.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.gateway_routes import destination_of, gateways_by_name
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule


@rule("MC804", "destination-port-required", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Destinations whose port does not exist."""
    known = gateways_by_name(evidence)
    for virtual in evidence.of("VirtualService"):
        if "mesh" in virtual.gateways or any(name not in known for name in virtual.gateways):
            continue
        listeners = sorted({server.port for name in virtual.gateways for server in known[name].servers})
        for route in (*virtual.http, *virtual.tcp, *virtual.tls):
            for to in route.destinations:
                service = destination_of(evidence, virtual.meta, to).service if to.port is None else None
                ports = [p.number for p in service.ports] if service is not None and service.kind != "ExternalName" else []
                if service is not None and len(ports) > 1 and listeners and not set(listeners) & set(ports):
                    message = (
                        f"names no port, Service {service.namespace}/{service.name} has {listed(ports, 5)},"
                        f" and the gateway listens on {listed(listeners, 5)}: callers get 503"
                    )
                    yield found(virtual.meta, to.field, message, ("the Service", service.meta, ("spec", "ports")))
