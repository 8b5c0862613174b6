"""An Ingress leads to a Service, or a port of it, that does not exist.

## Finds

Backends of Ingresses that name no Service of the Ingress's namespace, or a port (by number or name) that the Service has not.

## Why it matters

The controller answers 503, or 404 from its default backend: not a refusal, although it comes from the place where refusals come from.

## Avoid

```yaml
backend: {service: {name: web, port: {number: 8080}}}     # Service web has port 80, which leads to 8080
```

## Prefer

```yaml
backend: {service: {name: web, port: {number: 80}}}
```

## Exceptions

Backends that stand for an action of the AWS Load Balancer Controller (`use-annotation`) are known.

## Silent when

The world is open: the Service may be in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.object_names import meant
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.ingress import Backend, Ingress
from meshcheck.model.objects import Path


@rule("MC812", "ingress-backend-missing", severity="error", needs="absence", kinds=("Service",))
def check(evidence: Evidence) -> Iterator[Found]:
    """Backends that lead nowhere."""
    for ingress in evidence.of("Ingress"):
        for field, backend in _backends(ingress):
            if backend.port != "use-annotation":
                yield from _judged(evidence, ingress, field, backend)


def _backends(ingress: Ingress) -> Iterator[tuple[Path, Backend]]:
    if ingress.default_backend is not None:
        yield ("spec", "defaultBackend", "service"), ingress.default_backend
    for one in ingress.rules:
        for item in one.paths:
            if item.backend is not None:
                yield (*item.field, "backend", "service"), item.backend


def _judged(evidence: Evidence, ingress: Ingress, field: Path, backend: Backend) -> Iterator[Found]:
    world, namespace = evidence.world, ingress.meta.namespace
    service = world.service(namespace, backend.service)
    if service is None:
        hint = meant(namespace, backend.service, ((s.namespace, s.name) for s in world.services))
        yield found(ingress.meta, (*field, "name"), f"there is no Service `{backend.service}` in namespace `{namespace}`{hint}")
        return
    ports = [name for p in service.ports for name in (p.number, p.name) if name]
    if service.kind == "ExternalName" or not backend.port or backend.port in ports:
        return
    target = next((p for p in service.ports if p.target == backend.port), None)
    hint = f"; port {target.number} leads to {target.target}" if target is not None else ""
    message = f"Service {namespace}/{service.name} has no port `{backend.port}` (its ports: {listed(ports, 6)}){hint}"
    yield found(ingress.meta, (*field, "port"), message, ("the Service", service.meta, ("spec", "ports")))
