"""A rule names the port of a Service, and the pods listen on another one.

## Finds

`ports`, `notPorts` and `destination.port` with a number that is a Service's port of a selected workload, where the Service leads to another
port and no selected workload listens on that number.

## Why it matters

Policies see the port on which the connection arrives at the pod. An ALLOW for the Service's port admits nobody, a DENY blocks nobody
(istio/istio#49098). At gateways, too: the chart's gateway listens on 8080 behind port 80.

## Avoid

```yaml
kind: Service
spec:
  ports: [{port: 80, targetPort: 8080}]
---
ports: ["80"]
```

## Prefer

```yaml
ports: ["8080"]
```

## Exceptions

None: a list that names both ports is left alone.

## Silent when

The Service or the workload is not in the input.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import fields_of, values_of
from meshcheck.lint.ports import PORT_FIELDS, ports_of, service_ports
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import applies_to
from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.semantics.tracing.server import target_number


@rule("MC222", "service-port-in-ports", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Ports of Services in place of ports of pods."""
    for policy, _, field in fields_of(evidence, *PORT_FIELDS):
        workloads = applies_to(evidence, policy)
        for path, value in values_of(field):
            hit = _mistaken(evidence, workloads, int(value)) if value.isdigit() else None
            if hit is None or str(hit[2]) in field.values:
                continue
            service, port, target = hit
            fix = replacing(policy.meta, path, str(target), f"write `{target}`")
            words = (
                f"`{value}` never matches: it is the port of Service {service.namespace}/{service.name}, and the pods listen on {target}"
            )
            yield found(policy.meta, path, words, ("the Service's port", service.meta, ("spec", "ports", port)), fix=fix)


def _mistaken(evidence: Evidence, workloads: tuple[Workload, ...], number: int) -> tuple[Service, int, int] | None:
    """(Service, index of its port, port of the pod) for a number that is a Service's port and nowhere a pod's."""
    found = None
    for workload in workloads:
        if any(port.number == number for port in ports_of(evidence, workload)):
            return None
        for service, port in service_ports(evidence, workload):
            target = target_number(port, workload)
            if port.number == number and target is None:
                return None
            if found is None and port.number == number and target is not None:
                found = service, _index(service, port), target
    return found


def _index(service: Service, port: ServicePort) -> int:
    return service.ports.index(port)
