"""A route of Gateway API leads to a Service, or a port of it, that does not exist.

## Finds

`backendRefs` to Services that do not exist in their namespace, or to a port that the Service has not.

## Why it matters

Requests that the rule takes are answered with 500. A backend without `namespace` means the namespace of the route, and `port` is that of
the Service, not of the pods.

## Avoid

```yaml
backendRefs: [{name: web, port: 8080}]     # Service web has port 80
```

## Prefer

```yaml
backendRefs: [{name: web, port: 80}]
```

## Exceptions

Backends with weight 0 are left out.

## Silent when

The world is open: the Service may be in another file. Backends of other kinds.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.object_names import meant
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.gateway_api import BackendRef, Route
from meshcheck.semantics.gateway_api.attachment import KINDS


@rule("MC814", "route-backend-missing", severity="error", needs="absence", kinds=("Service",))
def check(evidence: Evidence) -> Iterator[Found]:
    """Backends that lead nowhere."""
    for kind in KINDS:
        for route in evidence.of(kind):
            for one in route.rules:
                for backend in one.backends:
                    if (backend.group, backend.kind) == ("", "Service") and backend.weight:
                        yield from _judged(evidence, route, backend)


def _judged(evidence: Evidence, route: Route, backend: BackendRef) -> Iterator[Found]:
    world = evidence.world
    service = world.service(backend.namespace, backend.name)
    if service is None:
        hint = meant(backend.namespace, backend.name, ((s.namespace, s.name) for s in world.services))
        message = f"there is no Service `{backend.namespace}/{backend.name}`: requests get 500{hint}"
        yield found(route.meta, (*backend.field, "name"), message)
        return
    ports = [p.number for p in service.ports]
    if backend.port is None or backend.port in ports or service.kind == "ExternalName":
        return
    target = next((p for p in service.ports if p.target == backend.port), None)
    hint = f"; port {target.number} leads to {target.target}" if target is not None else ""
    message = (
        f"Service {service.namespace}/{service.name} has no port {backend.port} (its ports: {listed(ports, 5)}): requests get 500{hint}"
    )
    yield found(route.meta, (*backend.field, "port"), message, ("the Service", service.meta, ("spec", "ports")))
