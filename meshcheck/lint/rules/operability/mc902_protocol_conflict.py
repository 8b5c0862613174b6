"""Two Services give one port of a workload different protocols.

## Finds

Ports of a workload with a sidecar that one Service declares as HTTP and another as TCP (or TLS).

## Why it matters

The sidecar has one listener for the port, and the oldest Service decides what it reads there: HTTP, so that policies see methods and paths,
or bytes, so that ALLOW rules with HTTP attributes never match. After one Service is made again it may be the other way round.

## Avoid

```yaml
kind: Service                                                # and a second one, for the same pods
spec: {ports: [{name: http, port: 80, targetPort: 8080}]}    # {name: tcp-web, port: 8080, targetPort: 8080}
```

## Prefer

```yaml
spec: {ports: [{name: http-web, port: 8080, targetPort: 8080}]}
```

## Exceptions

None.

## Silent when

One of the Services leaves the protocol open, or it is not known whether the workload has a sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.ports import service_ports
from meshcheck.lint.proxies import servers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.semantics.port_protocol import HTTP, TCP, protocol_of
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world.sidecars import sidecar_of


@rule("MC902", "protocol-conflict", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Ports with two protocols."""
    seen = set()
    for workload in servers(evidence):
        if len(evidence.world.services_of(workload)) > 1 and sidecar_of(evidence.world, workload).present:
            for one, other, number in _conflicts(evidence, workload):
                key = one[0].meta.ref, other[0].meta.ref, number
                if key not in seen:
                    seen.add(key)
                    yield _finding(workload, one, other, number)


def _conflicts(evidence: Evidence, workload: Workload) -> Iterator[tuple[tuple[Service, ServicePort], tuple[Service, ServicePort], int]]:
    first: dict[int, tuple[Service, ServicePort]] = {}
    for service, port in service_ports(evidence, workload):
        number = target_number(port, workload)
        if port.protocol != "TCP" or number is None or protocol_of(port) not in (HTTP, TCP):
            continue
        known = first.setdefault(number, (service, port))
        if protocol_of(known[1]) != protocol_of(port):
            yield known, (service, port), number


def _finding(workload: Workload, one: tuple[Service, ServicePort], other: tuple[Service, ServicePort], number: int) -> Found:
    service, port = other
    name = f"{one[0].namespace}/{one[0].name}"
    message = (
        f"port {number} of {workload} is {protocol_of(port)} here and {protocol_of(one[1])} by Service {name}:"
        f" the older Service decides, and with it which rules apply"
    )
    field = ("spec", "ports", service.ports.index(port))
    return found(service.meta, field, message, ("the other Service", one[0].meta, ("spec", "ports", one[0].ports.index(one[1]))))
