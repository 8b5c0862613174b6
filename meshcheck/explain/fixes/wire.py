"""The connection that network policies refuse, as those who write policies see it."""

from __future__ import annotations

from typing import Any

from meshcheck.explain.fixes.case import Case, telling_labels
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import INGRESS
from meshcheck.semantics.addresses import parse_address
from meshcheck.semantics.tracing.network import dns_servers


class Wire:
    """The connection that a policy refuses: whose side, the other end, and the port."""

    def __init__(self, case: Case) -> None:
        self.world = case.world
        mention = next((m for m in case.station.policies if m.direction), None)
        self.direction = (mention.direction if mention else None) or INGRESS
        dns = case.station.name == "dns"
        self.protocol, self.port = case.station.wire or ("UDP", 53)
        self.subject = case.server
        servers = dns_servers(case.world) if dns else []
        self.peer: Workload | None = case.source if self.direction == INGRESS else servers[0] if servers else case.target
        self.ports = [{"protocol": self.protocol, "port": self.port}]
        if dns:
            self.ports.append({"protocol": "TCP", "port": 53})
            if self.direction == INGRESS:
                self.subject, self.peer = servers[0] if servers else None, case.source
        question = case.question
        self.outside = question.caller.external
        self.address = question.source_ip or question.caller.ip or "" if self.direction == INGRESS else _address_of(case)

    @property
    def anybody(self) -> bool:
        """A client outside the cluster whose address is not known."""
        return self.direction == INGRESS and self.peer is None and not self.address and self.outside

    @property
    def list_name(self) -> str:
        return "from" if self.direction == INGRESS else "to"

    def peer_for(self, namespace: str) -> dict[str, Any] | None:
        """The other end as a peer of a policy in a namespace."""
        if self.peer is not None:
            peer: dict[str, Any] = {}
            if self.peer.namespace != namespace:
                peer["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": self.peer.namespace}}
            peer["podSelector"] = {"matchLabels": telling_labels(self.world, self.peer)}
            return peer
        parsed = parse_address(self.address) if self.address else None
        return {"ipBlock": {"cidr": f"{self.address}/{32 if parsed.bits == 32 else 128}"}} if parsed is not None else None

    @property
    def peer_words(self) -> str:
        return str(self.peer) if self.peer is not None else self.address

    @property
    def words(self) -> str:
        """The connection in words: `ingress from shop/web, TCP 3000`."""
        return f"{self.direction} {self.list_name} {self.peer_words or 'everywhere'}, {self.port_words}"

    @property
    def port_words(self) -> str:
        return " and ".join(f"{port['protocol']} {port['port']}" for port in self.ports)


def _address_of(case: Case) -> str:
    host = case.question.target.ip or case.question.target.host or ""
    return host if parse_address(host) is not None else ""
