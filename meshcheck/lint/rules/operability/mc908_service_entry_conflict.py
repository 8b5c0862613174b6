"""Two ServiceEntries declare the same host and port with different protocols.

## Finds

ServiceEntries with a host in common that are visible to the same namespaces and give one port number different protocols.

## Why it matters

A proxy has one listener for the port. Which of the two entries counts depends on their age, so it changes when one is made anew; then HTTP
is taken for opaque TCP, or TLS for HTTP, and calls break that nobody has touched.

## Avoid

```yaml
spec: {hosts: [api.example.com], ports: [{number: 443, name: tls, protocol: TLS}]}
---
spec: {hosts: [api.example.com], ports: [{number: 443, name: http, protocol: HTTP}]}
```

## Prefer

```yaml
spec: {hosts: [api.example.com], ports: [{number: 443, name: tls, protocol: TLS}]}
```

## Exceptions

None. Entries that agree are not reported: their endpoints add up.

## Silent when

The entries are not visible to a common namespace, or belong to different namespaces and one of them is visible to its own only.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import ServicePort
from meshcheck.model.istio_networking import ServiceEntry
from meshcheck.semantics import port_protocol
from meshcheck.semantics.routing.selection import is_exported


@rule("MC908", "service-entry-conflict", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Each entry's ports, with the first other one that differs."""
    known: dict[tuple[str, int], list[tuple[ServiceEntry, int, ServicePort]]] = {}
    for entry in evidence.of("ServiceEntry"):
        for index, port in enumerate(entry.ports):
            for host in dict.fromkeys(entry.hosts):
                before = known.setdefault((host, port.number), [])
                other = next((b for b in before if b[0] is not entry and _differ(b[2], port) and _meet(evidence, b[0], entry)), None)
                before.append((entry, index, port))
                if other is not None:
                    name = f"{other[0].meta.namespace}/{other[0].meta.name}"
                    words = f"{host}:{port.number} is {_written(evidence, entry, index)} here and {_written(evidence, other[0], other[1])}"
                    related = (f"port {port.number} of {name}", other[0].meta, ("spec", "ports", other[1]))
                    yield found(entry.meta, ("spec", "ports", index), f"{words} in {name}: which one counts depends on their age", related)


def _written(evidence: Evidence, entry: ServiceEntry, index: int) -> str:
    """The protocol as it is written."""
    ports = (evidence.raw(entry.meta).get("spec") or {}).get("ports") or ()
    port = ports[index] if index < len(ports) and isinstance(ports[index], dict) else {}
    return str(port.get("protocol") or "without a protocol")


def _differ(one: ServicePort, two: ServicePort) -> bool:
    return port_protocol.protocol_of(one) != port_protocol.protocol_of(two)


def _meet(evidence: Evidence, one: ServiceEntry, two: ServiceEntry) -> bool:
    """Whether some namespace sees both, and has none of its own that it would prefer."""
    if one.meta.namespace == two.meta.namespace:
        return True
    a, b = (e.export_to or evidence.world.mesh.service_export_to for e in (one, two))
    spaces = {n for n in (*a, *b, *evidence.world.namespaces) if n not in ("*", ".", "~")} - {one.meta.namespace, two.meta.namespace}
    return any(is_exported(a, one.meta.namespace, n) and is_exported(b, two.meta.namespace, n) for n in spaces)
