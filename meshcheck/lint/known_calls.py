"""Calls of which the manifests say that they are made: addresses in the environment and arguments of containers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.pod_fields import containers, containers_path, entries
from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.model.objects import Path
from meshcheck.model.pattern import pattern
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.world.hosts import look_up

_ADDRESS = pattern(
    r"(?<![-\w.])(?:([a-z][a-z0-9+.]{0,20})://(?:[^/@\s]{0,100}@)?)?([a-z0-9](?:[-a-z0-9.]{0,252}[a-z0-9])?)(?::(\d{1,5}))?(?![-\w.])",
    re.IGNORECASE,
)
"""An address in a text: scheme, host, port. Lengths are bounded, so that long texts cost no more than their length."""
_PORTS = {"http": 80, "https": 443, "grpc": 80, "ws": 80, "wss": 443, "redis": 6379, "postgres": 5432, "postgresql": 5432, "mysql": 3306}


class KnownCall(NamedTuple):
    """A workload that is told the address of a Service, and where."""

    caller: Workload
    service: Service
    port: ServicePort
    field: Path


def known_calls(evidence: Evidence, caller: Workload) -> Iterator[KnownCall]:
    """The Service ports whose addresses a workload is told; each once."""
    seen = set()
    for field, _, host, port in addresses_told(caller):
        service = look_up(evidence.world, host, caller.namespace).service
        found = next((p for p in service.ports if p.number == port and p.protocol == "TCP"), None) if service is not None else None
        if service is not None and found is not None and (service.meta.ref, port) not in seen:
            seen.add((service.meta.ref, port))
            yield KnownCall(caller, service, found, field)


def addresses_told(caller: Workload) -> Iterator[tuple[Path, str, str, int]]:
    """(place, scheme or empty, host, port) of the addresses that a workload is told; the host in lower case."""
    for field, text in _texts(caller):
        for scheme, host, number in _ADDRESS.findall(text):
            port = int(number) if number else _PORTS.get(scheme.lower(), 0)
            if port and (scheme or number):
                yield field, scheme.lower(), host.lower(), port


def _texts(workload: Workload) -> Iterator[tuple[Path, str]]:
    """Values of environment variables and arguments, with their places."""
    at = containers_path(workload)
    for n, container in containers(workload):
        for m, item in entries(container.get("env")):
            if isinstance(item.get("value"), str):
                yield (*at, n, "env", m, "value"), item["value"]
        for part in ("command", "args"):
            words = container.get(part)
            for m, text in enumerate(words if isinstance(words, list) else ()):
                if isinstance(text, str):
                    yield (*at, n, part, m), text
