"""Listeners that share a port: which of them a host belongs to. Istio looks at neither of these two.

Sources: kubernetes-sigs/gateway-api:apis/v1/gateway_types.go (listener isolation), geps/gep-3567 (misdirected requests).
"""

from __future__ import annotations

from meshcheck.semantics.gateway.servers import Bound, Port
from meshcheck.semantics.gateway.virtual_hosts import VirtualHost
from meshcheck.semantics.routing.selection import exactness, host_covers


def not_isolated(host: VirtualHost, authority: str, servers: tuple[Bound, ...]) -> str | None:
    """The fact that decides where a host belongs to one listener, and only a less exact one has routes for it."""
    if len(servers) < 2:
        return None
    name = authority.partition(":")[0].lower()
    covering = [(exactness(h), b) for b in servers for h in b.sni_hosts if host_covers(h, name)]
    owner = max(covering, key=lambda item: item[0])[1] if covering else None
    if owner is None or any(owner.gateway_name in v.gateways for v in host.owners):
        return None
    return f"whether the controller isolates listeners: `{name}` belongs to listener {owner.server.name}, which has no route for it"


def misdirected(port: Port, authority: str, chosen: Bound) -> Bound | None:
    """The listener that Host would choose, where it is not the one that the connection chose by SNI."""
    found = port.tls_server(authority.partition(":")[0].lower())
    return found if found is not None and found is not chosen else None
