"""The ports of `portLevelMtls`, and which ports of the selected workloads they are."""

from __future__ import annotations

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import workload_ports
from meshcheck.lint.selection import selected_by
from meshcheck.model.core import Service, Workload
from meshcheck.model.istio_security import PeerAuthentication
from meshcheck.model.objects import Path
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.tracing.server import target_number


class PortMode(NamedTuple):
    """A port of `portLevelMtls` that no selected workload is known to have."""

    policy: PeerAuthentication
    port: int
    field: Path
    selected: tuple[Workload, ...]
    service: Service | None
    """A Service of a selected workload that has the port and leads elsewhere."""
    target: int | None
    """Where it leads."""


def port_modes(evidence: Evidence) -> tuple[PortMode, ...]:
    """Ports of `portLevelMtls` that are none of the selected workloads' own; policies that select nothing known are left out."""
    return evidence.once("port modes", lambda: tuple(_find(evidence)))


def _find(evidence: Evidence) -> list[PortMode]:
    out = []
    for policy in evidence.of("PeerAuthentication"):
        if not policy.ports or not policy.selector:
            continue
        selected = selected_by(evidence, policy)
        for port in policy.ports if selected else ():
            if not any(port in workload_ports(evidence, w) for w in selected):
                service, target = _of_service(evidence, selected, port)
                out.append(PortMode(policy, port, ("spec", "portLevelMtls", str(port)), selected, service, target))
    return out


def _of_service(evidence: Evidence, selected: tuple[Workload, ...], number: int) -> tuple[Service | None, int | None]:
    for workload in selected:
        for service in evidence.world.services_of(workload):
            for port in service.ports:
                target = target_number(port, workload)
                if port.number == number and port.protocol == "TCP" and target is not None:
                    return service, target
    return None, None
