"""Which Service, ServiceEntry or address a name stands for.

Source: istio/istio:pilot/pkg/networking/core/httproute.go (names of a Service); Kubernetes' DNS specification.
"""

from __future__ import annotations

from typing import Any

from meshcheck.model.core import Service, Workload
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.addresses import parse_address
from meshcheck.semantics.world.world import World

DOMAIN = "cluster.local"


class Named(NamedTuple):
    """What a name stands for: a Service, a ServiceEntry, a pod's address, or something outside."""

    host: str
    """The name as the mesh knows it (FQDN for a Service)."""
    service: Service | None = None
    entry: Any = None
    workload: Workload | None = None
    address: str | None = None
    external: bool = False
    missing: str | None = None


def look_up(world: World, host: str, client_namespace: str | None) -> Named:
    """What a name stands for, as the caller's resolver and the mesh see it."""
    return world.once(("host", host, client_namespace), lambda: _look_up(world, host.lower().rstrip("."), client_namespace))


def _look_up(world: World, host: str, client_namespace: str | None) -> Named:
    if parse_address(host) is not None:
        return _by_address(world, host)
    names = service_name(host, client_namespace, world)
    if names is not None:
        namespace, name = names
        service = world.service(namespace, name)
        if service is not None:
            return Named(service.host, service)
        entry = _entry(world, host)
        if entry is not None:
            return Named(host, None, entry, external=True)
        fqdn = f"{name}.{namespace}.svc.{DOMAIN}"
        if world.complete("Service", namespace=namespace):
            return Named(fqdn, missing=f"what `{host}` is: there is no Service {namespace}/{name}, but name servers elsewhere may know it")
        return Named(fqdn, missing=f"the Service `{namespace}/{name}`: it is not in the input")
    entry = _entry(world, host)
    if entry is not None:
        return Named(host, None, entry, external=True)
    return Named(host, external=True)


def service_name(host: str, client_namespace: str | None, world: World) -> tuple[str, str] | None:
    """(namespace, name) when a host has the form of a Service's name; None for other hosts."""
    parts = host.split(".")
    if host.endswith(f".svc.{DOMAIN}"):
        parts = parts[: -len(DOMAIN.split(".")) - 1]
    elif host.endswith(".svc"):
        parts = parts[:-1]
    elif len(parts) == 1:
        return (client_namespace or "default", host)
    elif not (len(parts) == 2 and world.has_namespace(parts[1])):
        if len(parts) == 3 and world.has_namespace(parts[2]) and world.service(parts[2], parts[1]):
            return parts[2], parts[1]  # a pod of a headless Service
        return None
    if len(parts) == 2:
        return parts[1], parts[0]
    return (parts[2], parts[1]) if len(parts) == 3 else None


def _by_address(world: World, address: str) -> Named:
    virtual = world.once("services by address", lambda: {ip: s for s in world.services for ip in s.cluster_ips})
    if address in virtual:
        return Named(virtual[address].host, virtual[address], address=address)
    workload = world.pod_at(address)
    return Named(address, workload=workload, address=address, external=workload is None)


def _entry(world: World, host: str) -> Any:
    """The ServiceEntry that declares a host: an exact one first, then the longest wildcard."""
    best: tuple[int, Any] | None = None
    for entry in world.inventory.of("ServiceEntry"):
        for declared in entry.hosts:
            if declared == host:
                return entry
            if declared.startswith("*") and host.endswith(declared[1:]) and (best is None or len(declared) > best[0]):
                best = len(declared), entry
    return best[1] if best else None
