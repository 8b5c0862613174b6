"""The ports of workloads as their proxies see them."""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import workload_ports
from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.model.istio_security import Field
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.port_protocol import DETECTED, protocol_of
from meshcheck.semantics.tracing.server import bypasses_sidecar, service_port_of

PORT_FIELDS = ("ports", "destination.port")
_ISTIO = (15090, 15021, 15020)


class Port(NamedTuple):
    """A TCP port of a workload; `protocol` as in `port_protocol`, DETECTED where no Service leads to it."""

    number: int
    protocol: str
    service_port: ServicePort | None


def ports_of(evidence: Evidence, workload: Workload) -> tuple[Port, ...]:
    """Ports to which Services lead, then those that containers declare."""
    return evidence.once(("ports of", id(workload)), lambda: _ports(evidence, workload))


def _ports(evidence: Evidence, workload: Workload) -> tuple[Port, ...]:
    out = []
    for number in workload_ports(evidence, workload):
        found = service_port_of(evidence.world, workload, number)
        out.append(Port(number, DETECTED if found is None else protocol_of(found), found))
    return tuple(out)


def past_the_sidecar(workload: Workload, number: int) -> bool:
    """Whether annotations keep a port of the application away from the sidecar; Istio's own ports are none of it."""
    return number not in _ISTIO and bypasses_sidecar(workload, number)


def all_past_the_sidecar(evidence: Evidence, workload: Workload) -> list[int]:
    """The ports to which Services lead, if none of them passes the sidecar."""
    numbers = [port.number for port in ports_of(evidence, workload) if port.service_port is not None]
    return numbers if all(past_the_sidecar(workload, number) for number in numbers) else []


def service_ports(evidence: Evidence, workload: Workload) -> Iterable[tuple[Service, ServicePort]]:
    """All ports of all Services that select a workload."""
    return ((service, port) for service in evidence.world.services_of(workload) for port in service.ports)


def named_ports(fields: Iterable[Field]) -> set[int]:
    """The ports that fields name, without their not-twins."""
    return {int(v) for f in fields if f.name in PORT_FIELDS and not f.negated for v in f.values if v.isdigit()}
