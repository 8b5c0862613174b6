"""The ports that the kubelet probes."""

from __future__ import annotations

from typing import Any

from meshcheck.model.core import Workload

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_WAYS = ("httpGet", "tcpSocket", "grpc")


def probed_ports(workload: Workload) -> tuple[int, ...]:
    """Numbers of the ports to which probes of a workload's containers go, on the pod's own address; those that run a command have none."""
    out: list[int] = []
    for container in workload.pod.get("containers") or ():
        for name in _PROBES:
            probe = container.get(name) or {}
            target = next((probe[way] for way in _WAYS if probe.get(way)), None)
            number = _number(workload, target.get("port")) if target is not None and not target.get("host") else None
            if number is not None:
                out.append(number)
    return tuple(dict.fromkeys(out))


def _number(workload: Workload, port: Any) -> int | None:
    if isinstance(port, str) and not port.isdigit():
        return next((p.number for p in workload.ports if p.name == port), None)
    return int(port) if port is not None else None
