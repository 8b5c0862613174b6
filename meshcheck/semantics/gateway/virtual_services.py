"""The VirtualServices of each Gateway, Istio's own kinds.

Source: istio/istio:pilot/pkg/model/push_context.go:VirtualServicesForGateway,initVirtualServices.
"""

from __future__ import annotations

from collections.abc import Sequence

from meshcheck.model.istio_networking import VirtualService
from meshcheck.semantics.routing.delegates import expanded
from meshcheck.semantics.routing.selection import age
from meshcheck.semantics.world.world import World


def by_gateway(world: World, namespace: str) -> dict[str, Sequence[VirtualService]]:
    """VirtualServices by Gateway as pods of a namespace see them: private, exported, public; each by age."""

    def make() -> dict[str, Sequence[VirtualService]]:
        ranked: dict[str, list[tuple[int, VirtualService]]] = {}
        for virtual in sorted(world.inventory.of("VirtualService"), key=age):
            rank = _rank(virtual.export_to or world.mesh.virtual_service_export_to, virtual.meta.namespace, namespace)
            if rank is None or not virtual.hosts:
                continue
            whole = expanded(world, virtual)
            for name in virtual.gateways:
                ranked.setdefault(name, []).append((rank, whole))
        return {name: [v for _, v in sorted(found, key=lambda item: item[0])] for name, found in ranked.items()}

    return world.once(("virtual services by gateway", namespace), make)


def _rank(export_to: tuple[str, ...], own: str, to: str) -> int | None:
    """0 private, 1 exported to the namespace, 2 public; None when it is not visible."""
    if not export_to or "*" in export_to:
        return 2
    if "~" in export_to:
        return None
    if own == to and ("." in export_to or own in export_to):
        return 0
    return 1 if to in export_to else None


def with_host(world: World, host: str) -> tuple[VirtualService, ...]:
    """All VirtualServices that have a host, wherever they are bound and whoever sees them; the most exact ones first."""

    def make() -> dict[str, list[VirtualService]]:
        out: dict[str, list[VirtualService]] = {}
        for virtual in world.inventory.of("VirtualService"):
            for name in virtual.hosts:
                out.setdefault(name.lower(), []).append(virtual)
        return out

    table = world.once("virtual services by host", make)
    found = list(table.get(host, ()))
    at = 0
    while 0 <= at < len(host):
        found += table.get("*" + host[at:], ())
        at = host.find(".", at + 1)
    return tuple(dict.fromkeys((*found, *table.get("*", ()))))
