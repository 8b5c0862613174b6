"""Which Sidecar applies, which hosts it imports, and what becomes of calls to others.

Source: istio/istio:pilot/pkg/model/push_context.go:doGetSidecarScope, sidecar.go.
"""

from __future__ import annotations

from meshcheck.model.core import Service, Workload
from meshcheck.model.istio_networking import Sidecar
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.routing.selection import full_name, host_covers, is_exported
from meshcheck.semantics.world.world import World


class Scope(NamedTuple):
    """What a client's sidecar knows. `sidecar` is the resource that applies, None for Istio's default (everything)."""

    sidecar: Sidecar | None
    outbound_mode: str

    def imports(self, host: str, owner: str, client_namespace: str, port: int) -> bool:
        """Whether a host of namespace `owner` is known to the sidecar on a port."""
        if self.sidecar is None or self.sidecar.egress is None:
            return True
        listeners = [listener for listener in self.sidecar.egress if listener.port == port] or [
            listener for listener in self.sidecar.egress if listener.port is None
        ]
        wanted = [entry for listener in listeners for entry in listener.hosts]
        if any(entry.startswith("~") and _covers(entry[1:], host, owner, client_namespace) for entry in wanted if entry != "~/*"):
            return False
        return any(_covers(entry, host, owner, client_namespace) for entry in wanted if not entry.startswith("~"))


def _covers(entry: str, host: str, owner: str, client_namespace: str) -> bool:
    namespace, slash, declared = entry.partition("/")
    if not slash:
        return False
    if namespace == ".":
        namespace = client_namespace
    return namespace in ("*", "", owner) and host_covers(declared, host)


def scope_of(world: World, client: Workload) -> Scope:
    """The scope of a client's sidecar."""
    return world.once(("scope", id(client)), lambda: _scope(world, client))


def _scope(world: World, client: Workload) -> Scope:
    root = world.mesh.root_namespace
    every = world.index("sidecars", lambda: sorted(world.inventory.of("Sidecar"), key=lambda s: (s.meta.created or "9999", s.meta.name)))
    world.note("Sidecar", client.namespace)
    world.note("Sidecar", root)
    own = [s for s in every if s.meta.namespace == client.namespace]
    chosen = next((s for s in own if s.selector and selects(s.selector, client.pod_labels)), None)
    chosen = chosen or next((s for s in own if not s.selector), None)
    chosen = chosen or next((s for s in every if s.meta.namespace == root and not s.selector), None)
    mode = chosen.outbound_mode if chosen is not None and chosen.outbound_mode is not None else world.mesh.outbound_mode
    return Scope(chosen, mode)


def knows_service(world: World, scope: Scope, client: Workload, service: Service, port: int) -> bool:
    """Whether a client's sidecar knows a Service: exported to it and imported by it."""
    if not is_visible(world, service, client.namespace):
        return False
    return scope.imports(service.host, service.namespace, client.namespace, port) or _by_route(world, scope, client, service)


def is_visible(world: World, service: Service, namespace: str) -> bool:
    """Whether a Service is exported to the proxies of a namespace."""
    notes = service.meta.annotations.get("networking.istio.io/exportTo", "")
    export_to = tuple(item.strip() for item in notes.split(",") if item.strip()) or world.mesh.service_export_to
    return "~" not in export_to and is_exported(export_to, service.namespace, namespace)


def _by_route(world: World, scope: Scope, client: Workload, service: Service) -> bool:
    """Destinations of imported VirtualServices are known even when they are not listed."""
    for virtual in world.inventory.of("VirtualService"):
        own = virtual.meta.namespace
        if "mesh" not in virtual.gateways or not is_exported(
            virtual.export_to or world.mesh.virtual_service_export_to, own, client.namespace
        ):
            continue
        if not any(scope.imports(full_name(h, own), own, client.namespace, 0) for h in virtual.hosts):
            continue
        routes = [*virtual.http, *virtual.tcp, *virtual.tls]
        if any(full_name(d.host, own) == service.host for route in routes for d in route.destinations):
            return True
    return False
