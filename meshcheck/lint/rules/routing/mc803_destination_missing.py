"""A route leads to a Service, or a port of it, that does not exist.

## Finds

Destinations of VirtualServices whose host is no Service and no host of a ServiceEntry, and destinations with a port that the Service has
not. A host without dots means the namespace of the VirtualService, not that of the caller.

## Why it matters

The proxy has no cluster of that name and answers 503 (`NC`) before any policy is asked.

## Avoid

```yaml
metadata: {namespace: istio-ingress}
spec: {http: [{route: [{destination: {host: web}}]}]}                # means web.istio-ingress
```

## Prefer

```yaml
spec: {http: [{route: [{destination: {host: web.shop.svc.cluster.local}}]}]}
```

## Exceptions

Services that come from another registry or cluster.

## Silent when

The world is open: the Service may be in another file. Names of another cluster domain, and of Services of several clusters.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.gateway_routes import destination_of
from meshcheck.lint.object_names import meant
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_networking import Destination, VirtualService
from meshcheck.semantics.routing.selection import full_name
from meshcheck.semantics.world.hosts import DOMAIN, service_name


@rule("MC803", "destination-missing", severity="error", needs="absence", kinds=("Service", "ServiceEntry"), confidence="medium")
def check(evidence: Evidence) -> Iterator[Found]:
    """Destinations that lead nowhere."""
    for virtual in evidence.of("VirtualService"):
        for route in (*virtual.http, *virtual.tcp, *virtual.tls):
            for destination in route.destinations:
                yield from _judged(evidence, virtual, destination)


def _judged(evidence: Evidence, virtual: VirtualService, to: Destination) -> Iterator[Found]:
    named = destination_of(evidence, virtual.meta, to)
    service = named.service
    if service is not None:
        ports = [p.number for p in service.ports]
        if to.port is not None and to.port not in ports and service.kind != "ExternalName":
            message = f"Service {service.namespace}/{service.name} has no port {to.port} (its ports: {listed(ports, 5)}): callers get 503"
            yield found(virtual.meta, (*to.field, "port"), message, ("the Service", service.meta, ("spec", "ports")))
    elif named.entry is None and not _elsewhere(full_name(to.host, virtual.meta.namespace)):
        message = f"there is no host `{to.host}`{_hint(evidence, virtual, to)}: callers get 503"
        yield found(virtual.meta, (*to.field, "host"), message)


def _elsewhere(host: str) -> bool:
    """Whether a host belongs to another cluster domain or to several clusters."""
    return host.endswith(".clusterset.local") or (".svc." in host and not host.endswith(f".svc.{DOMAIN}"))


def _hint(evidence: Evidence, virtual: VirtualService, to: Destination) -> str:
    """Where a short name was looked for, and what there is instead."""
    names = service_name(full_name(to.host, virtual.meta.namespace), virtual.meta.namespace, evidence.world)
    if names is None:
        return " in the mesh, neither a Service nor a ServiceEntry"
    hint = meant(*names, ((s.namespace, s.name) for s in evidence.world.services))
    where = f", which means Service {names[0]}/{names[1]}" if "." not in to.host else ""
    return f"{where}{hint}"
