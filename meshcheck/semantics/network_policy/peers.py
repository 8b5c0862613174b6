"""Whether a peer of a rule means an endpoint. Answers are True, False, or None where a fact is missing.

Address blocks and pods: `networks` of admin policies mean pods by their address. Whether `ipBlock` of a NetworkPolicy means pods differs
between plugins, so an answer that hinges on it is undecided; so is one that hinges on an address that is not known. In questions about
policies alone (`strict`) blocks never mean pods, as np-guard has it. The same holds for pods in the host's
network: at the address of a known node they are that node; otherwise they are undecided, or (`strict`) like other pods.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.core import Namespace, Selector, Workload
from meshcheck.model.network_policy import BlockPeer, DomainPeer, NodePeer, Peer, PodPeer
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.addresses import parse_address, parse_block


class Endpoint(NamedTuple):
    """One end of a connection: a workload with its namespace, or an address outside, or a node (`host`)."""

    workload: Workload | None
    namespace: Namespace | None
    address: str
    host: bool = False
    name: str = ""
    """A name outside the cluster, where the caller used one."""
    labels_known: bool = True
    """Whether the labels of the namespace were read, or may be taken as none."""
    maybe_pod: bool = False
    """An address that may be a pod's: in an open world nobody knows."""
    node_labels: Mapping[str, str] | None = None
    """Labels of the node that has the address, where it was read."""
    doubtful: bool = False
    """A pod in the host's network whose address is not known: whether selectors mean it is not specified."""
    node: str = ""
    """The name of the node that it is, or on which a pod in the host's network runs."""
    in_blocks: bool | None = None
    """Whether blocks of NetworkPolicies mean a pod, and selectors none of the host's network, where the network plugin is known."""

    @property
    def is_pod(self) -> bool:
        """Whether selectors can mean it."""
        return self.workload is not None and not self.host


def selects_namespace(selector: Selector, end: Endpoint) -> bool | None:
    """Whether a namespace selector means the endpoint's namespace; None where its labels were not read."""
    assert end.namespace is not None
    result: bool | None = True
    for requirement in selector.requirements:
        if not end.labels_known and requirement.key != "kubernetes.io/metadata.name":
            result = None
        elif not requirement.holds(end.namespace.labels):
            return False
    return result


def means(peer: Peer, end: Endpoint, policy_namespace: str, strict: bool) -> bool | None:
    """Whether a peer of a rule means an endpoint."""
    if isinstance(peer, PodPeer):
        return means_pods(peer, end, policy_namespace)
    if isinstance(peer, BlockPeer):
        return _in_block(peer, end, strict)
    if isinstance(peer, NodePeer):
        if not end.host:
            return False
        return None if end.node_labels is None else peer.nodes.matches(end.node_labels)
    if isinstance(peer, DomainPeer):
        if end.workload is not None or end.host:
            return False
        return any(_is_named(name, end.name.lower()) for name in peer.names) if end.name else None
    return None


def means_pods(peer: PodPeer, end: Endpoint, policy_namespace: str) -> bool | None:
    """Pods by labels; nothing outside the cluster is ever meant. `policy_namespace` is empty for admin policies."""
    workload = end.workload
    if workload is None:
        return None if end.maybe_pod else False
    if end.host and not policy_namespace:
        return False  # the types of admin policies say so
    if peer.pods is not None and not peer.pods.matches(workload.pod_labels):
        return False
    if (end.host or end.doubtful) and end.in_blocks is not None:
        return False
    meant = workload.namespace == policy_namespace if peer.namespaces is None else selects_namespace(peer.namespaces, end)
    return None if (end.host or end.doubtful) and meant else meant  # nothing specifies whether selectors mean pods in the host's network


def _in_block(peer: BlockPeer, end: Endpoint, strict: bool) -> bool | None:
    block = parse_block(peer.cidr)
    is_pod = end.is_pod and not peer.means_pods and not end.in_blocks
    if block is None or (is_pod and strict) or (end.in_blocks is False and (end.is_pod or end.host)):
        return False
    address = parse_address(end.address) if end.address else None
    if address is None:
        return False if strict else None
    if not block.holds(address):
        return False
    if is_pod:
        return None if not any(inner is not None and inner.holds(address) for inner in map(parse_block, peer.excepts)) else False
    return not any(inner is not None and inner.holds(address) for inner in map(parse_block, peer.excepts))


def _is_named(pattern: str, name: str) -> bool:
    pattern, name = pattern.lower().rstrip("."), name.rstrip(".")
    return name.endswith(pattern[1:]) and len(name) > len(pattern) - 1 if pattern.startswith("*.") else name == pattern
