"""Which address an entry point sees as the client's.

Sources: istio/istio:pilot/pkg/networking/core/gateway.go:buildGatewayConnectionManager;
envoyproxy/envoy:source/common/http/conn_manager_utility.cc:mutateRequestHeaders; Kubernetes: externalTrafficPolicy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshcheck.model.core import Service
from meshcheck.model.mesh_config import Topology
from meshcheck.model.record import NamedTuple
from meshcheck.semantics import watching
from meshcheck.semantics.addresses import parse_address
from meshcheck.semantics.tracing.call import Call


class Peer(NamedTuple):
    """The other end of the connection; `address` is empty when it cannot be known, and `why` says why it is what it is."""

    address: str
    why: str


def peer_of(call: Call, service: Service | None) -> Peer:
    """The address from which the connection comes that the entry point's pod accepts."""
    who = call.who
    given = call.question.source_ip or who.address
    if who.workload is not None or who.caller.node:
        return Peer(given, "the caller's own address") if given else Peer("", f"the address of {who.name}: it is not in the input")
    if service is not None and service.kind in ("LoadBalancer", "NodePort") and not service.keeps_client_address:
        words = f"Service {service.namespace}/{service.name} has externalTrafficPolicy Cluster, which puts a node's address there"
        return Peer("", f"the address of the node through which the call comes: {words}")
    if not given:
        return Peer("", "the client's address: say it with `--source-ip`")
    return Peer(given, "the client's own address")


def forwarded_for(headers: Mapping[str, Sequence[str]]) -> list[str]:
    """The entries of X-Forwarded-For, in order."""
    return [item.strip() for line in headers.get("x-forwarded-for", ()) for item in line.split(",") if item.strip()]


def remote_address(peer: Peer, topology: Topology, headers: Mapping[str, Sequence[str]], source_ip: str | None) -> str:
    """What `remoteIpBlocks` and `remote.ip` are compared with at a gateway of Istio; empty when it cannot be known."""
    if topology.proxy_protocol and topology.trusted_proxies == 0:
        return source_ip or peer.address
    if topology.trusted_proxies:
        entries = forwarded_for(headers)
        found = len(entries) >= topology.trusted_proxies and parse_address(entries[-topology.trusted_proxies]) is not None
        if watching.by is not None:
            watching.by.forwarded(entries, topology.trusted_proxies, found)
        if found:
            return entries[-topology.trusted_proxies]
    return peer.address
