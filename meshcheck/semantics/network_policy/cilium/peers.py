"""Whether a peer of a Cilium rule means an end of a connection.

Sources: cilium/cilium:pkg/policy/api/entity.go, pkg/policy/api/cidr.go, pkg/policy/k8s/service.go (processRule),
pkg/policy/utils/parserules.go; addresses of pods and nodes are in no block (`policy-cidr-match-mode` is empty by default).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from meshcheck.model.cilium import (
    CidrGroup,
    CidrGroupPeer,
    CidrPeer,
    CiliumPeer,
    CiliumRule,
    EndpointPeer,
    EntityPeer,
    NamePeer,
    ServicePeer,
)
from meshcheck.model.core import Service
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.network_policy.cilium.identities import selects
from meshcheck.semantics.network_policy.cilium.names import matches
from meshcheck.semantics.network_policy.peers import Endpoint


class Surroundings(NamedTuple):
    """What peers are looked up in, beside pods."""

    services: tuple[Service, ...] = ()
    addresses_of: Callable[[Service], tuple[str, ...]] = lambda service: ()
    groups: tuple[CidrGroup, ...] = ()
    api_servers: frozenset[str] | None = None
    """Addresses of the API server; None where they are not known."""
    complete: Callable[[str], bool] = lambda kind: False
    """Whether all objects of a kind are known."""
    mode: str = ""
    """Cilium's `enable-policy`; empty where it is not known, and taken for `default`."""


class Peering(NamedTuple):
    """One connection, as a rule of one side sees it: `subject` has the rule, `peer` is the other end."""

    subject: Endpoint
    peer: Endpoint
    namespace: str
    """That of the policy; empty for a clusterwide one."""
    around: Surroundings
    resolved: Callable[[str], bool | None]
    """Whether Cilium's DNS proxy sees the answers for a name that the subject asks for."""


def any_of(rule: CiliumRule, call: Peering) -> bool | None:
    """Whether a rule means the other end. A rule that names nobody means everybody where it names ports."""
    if rule.peers is None:
        return rule.ports is not None
    names = {peer.name for peer in rule.peers if isinstance(peer, EntityPeer)}
    if call.peer.host and {"host", "remote-node"} <= names:
        return True
    answers = [means(peer, call) for peer in rule.peers]
    if True in answers:
        return True
    services = [peer for peer in rule.peers if isinstance(peer, ServicePeer)]
    if rule.ports is not None and services and not any(_named(peer, call) for peer in services):
        return None  # no such Service: Cilium is left with a rule that names ports and nobody
    return None if None in answers else False


def means(peer: CiliumPeer, call: Peering) -> bool | None:
    """Whether one peer means the other end; None where that is not known."""
    end = call.peer
    if isinstance(peer, EndpointPeer):
        return selects(peer.selector, end, call.namespace)
    if isinstance(peer, EntityPeer):
        return _entity(peer.name, call)
    if isinstance(peer, CidrPeer):
        return _block(peer.cidr, peer.excepts, end)
    if isinstance(peer, CidrGroupPeer):
        return _group(peer, call)
    if isinstance(peer, ServicePeer):
        return _service(peer, call)
    if isinstance(peer, NamePeer):
        return _name(peer, call)
    return None if is_outside(end) is not False or end.host or end.doubtful else False


def is_outside(end: Endpoint) -> bool | None:
    """Whether an end is outside the cluster; None for an address that may be anything, and for machines of the mesh."""
    if end.maybe_pod or (end.workload is not None and end.workload.kind == "WorkloadEntry"):
        return None
    return end.workload is None and not end.host


def _entity(name: str, call: Peering) -> bool | None:
    end, outside = call.peer, is_outside(call.peer)
    if name == "all":
        return True
    if name in ("none", "init", "health", "unmanaged", "ingress"):
        return None if outside is None else False
    if name == "kube-apiserver":
        return _api_server(call)
    if name in ("cluster", "cluster-mesh"):
        if not outside:
            return None if outside is None else True
        return _api_server(call) if end.address else False
    if name.startswith("world"):
        if not outside or name == "world":
            return outside
        address = parse_address(end.address) if end.address else None
        return None if address is None else address.bits == (32 if name == "world-ipv4" else 128)
    return _node(name, call)


def _node(name: str, call: Peering) -> bool | None:
    """`host` is the pod's own node, `remote-node` any other."""
    end, own = call.peer, call.subject.workload.node if call.subject.workload is not None else ""
    if end.doubtful:
        return None
    if not end.host:
        return None if end.maybe_pod else False
    if not own or not end.node:
        return None
    return (own == end.node) == (name == "host")


def same_node(subject: Endpoint, peer: Endpoint) -> bool | None:
    """Whether the other end is the node of a pod: what it sends to its pods is let through."""
    if not peer.host:
        return None if peer.doubtful else False
    own = subject.workload.node if subject.workload is not None else ""
    return own == peer.node if own and peer.node else None


def _api_server(call: Peering) -> bool | None:
    end, known = call.peer, call.around.api_servers
    if end.is_pod and not end.doubtful and is_outside(end) is not None:
        return False
    if known is None or not end.address:
        return None
    if end.address in known:
        return True
    return False if parse_address(end.address) is not None or end.name else None


def _block(cidr: str, excepts: Iterable[str], end: Endpoint) -> bool | None:
    outside = is_outside(end)
    if outside is False:
        return None if end.doubtful else False
    block, address = parse_block(cidr if "/" in cidr else f"{cidr}/{128 if ':' in cidr else 32}"), parse_address(end.address)
    if block is None:
        return False
    if address is None:
        return None
    inside = block.holds(address) and not any(inner is not None and inner.holds(address) for inner in map(parse_block, excepts))
    return outside if inside else False


def _group(peer: CidrGroupPeer, call: Peering) -> bool | None:
    if peer.selector is not None:
        wanted, labelled = peer.selector, call.around.groups
        found = [g for g in labelled if wanted.matches(g.meta.labels)]
    else:
        found = [g for g in call.around.groups if g.meta.name == peer.name]
    answers = [_block(cidr, peer.excepts, call.peer) for group in found for cidr in group.cidrs]
    if True in answers:
        return True
    if is_outside(call.peer) is False:
        return False
    known = call.around.complete("CiliumCIDRGroup") or (found and peer.selector is None)
    return False if known and None not in answers else None


def _named(peer: ServicePeer, call: Peering) -> list[Service]:
    """The Services that a peer means."""
    near = (s for s in call.around.services if peer.namespace in ("", s.namespace))
    if peer.selector is not None:
        wanted = peer.selector
        return [s for s in near if wanted.matches(s.meta.labels)]
    return [s for s in near if s.name == peer.name]


def _service(peer: ServicePeer, call: Peering) -> bool | None:
    """Pods that a Service's selector means; the addresses of one without selector."""
    end, found = call.peer, _named(peer, call)
    for service in found:
        if service.selector:
            workload = end.workload if end.is_pod and not end.doubtful else None
            wanted = service.selector.items()
            if workload is not None and workload.namespace == service.namespace and wanted <= workload.pod_labels.items():
                return True
        elif is_outside(end) and end.address in call.around.addresses_of(service):
            return True
    if end.maybe_pod:
        return None
    complete = call.around.complete("Service") or (found and peer.selector is None and peer.namespace)
    return False if complete else None


def _name(peer: NamePeer, call: Peering) -> bool | None:
    """Names outside: what the DNS proxy has seen in answers for them."""
    end, outside = call.peer, is_outside(call.peer)
    if outside is False:
        return None if end.doubtful else False
    if not end.name or parse_address(end.name) is not None:
        return None  # an address: which names it has had in answers is known to Cilium alone
    if not matches(peer, end.name):
        return False
    return call.resolved(end.name) if outside else None
