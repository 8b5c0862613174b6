"""The servers of all Gateways on a pod, merged by port, and which one takes a connection.

Source: istio/istio:pilot/pkg/model/gateway.go:mergeGateways,resolvePorts. `bind` is not looked at: a question names no address of the pod.
"""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.istio_gateway import Gateway, Server
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world.world import World

_HTTP = frozenset(["HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY"])


class Bound(NamedTuple):
    """A server on a port of the pod."""

    gateway: Gateway
    server: Server
    listener: str = ""
    """Name of a listener of Gateway API: routes are attached to it and not to the Gateway."""

    @property
    def gateway_name(self) -> str:
        return self.listener or f"{self.gateway.meta.namespace}/{self.gateway.meta.name}"

    @property
    def is_plain_http(self) -> bool:
        return self.server.protocol in _HTTP

    @property
    def terminates_http(self) -> bool:
        """HTTPS, decrypted here."""
        tls = self.server.tls
        return self.server.protocol == "HTTPS" and tls is not None and tls.mode not in ("PASSTHROUGH", "AUTO_PASSTHROUGH")

    @property
    def is_tls(self) -> bool:
        return self.server.tls is not None and not self.is_plain_http

    @property
    def passes_through(self) -> bool:
        """TLS that is not decrypted here."""
        return self.is_tls and self.server.tls is not None and self.server.tls.mode in ("PASSTHROUGH", "AUTO_PASSTHROUGH")

    @property
    def sni_hosts(self) -> tuple[str, ...]:
        return tuple(host.rpartition("/")[2] for host in self.server.hosts)


class Port:
    """What listens on one port of the pod: plaintext servers that share routes, and TLS servers told apart by SNI."""

    def __init__(self) -> None:
        self.plain: list[Bound] = []
        self.tls: list[Bound] = []
        self.skipped: list[tuple[Bound, str]] = []
        self._tls_hosts: set[str] = set()
        self._route_names: set[tuple[int, str, str]] = set()

    def add(self, bound: Bound) -> None:
        """Add a server, or note why it cannot be there beside the others."""
        server = bound.server
        if server.tls is not None:
            twice = [host for host in server.hosts if host in self._tls_hosts]
            if twice:
                self.skipped.append((bound, f"its host {', '.join(twice)} is on the port already"))
                return
            self._tls_hosts.update(server.hosts)
        if self.plain:
            first = self.plain[0]
            if not (first.is_plain_http and bound.is_plain_http):
                why = f"{server.protocol} beside {first.server.protocol} of Gateway {first.gateway_name}"
                self.skipped.append((bound, why))
                return
            self.plain.append(bound)
        elif not bound.is_tls:
            self.plain.append(bound)
        else:
            name = (server.port, server.name, bound.gateway_name)
            if bound.terminates_http and name in self._route_names:
                self.skipped.append((bound, f"its port name `{server.name}` is not unique"))
                return
            self._route_names.add(name)
            self.tls.append(bound)

    def tls_server(self, sni: str) -> Bound | None:
        """The TLS server for a server name: exact, then the longest wildcard, then any."""
        best: tuple[int, Bound] | None = None
        for bound in self.tls:
            for host in bound.sni_hosts:
                if host == sni:
                    return bound
                covers = host == "*" or (host.startswith("*") and bool(sni) and sni.endswith(host[1:]))
                if covers and (best is None or len(host) > best[0]):
                    best = len(host), bound
        return best[1] if best else None


def resolved_port(world: World, workload: Workload, number: int) -> int:
    """The pod's port for a server: the target of the Service port with its number, where one of the pod's Services has it."""
    for service in world.services_of(workload):
        if "experimental.istio.io/disable-gateway-port-translation" in service.meta.labels:
            continue
        for port in service.ports:
            if port.number == number and port.protocol == "TCP":
                return target_number(port, workload) or number
    return number
