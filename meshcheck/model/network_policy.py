"""NetworkPolicy and its admin tiers in one form, with the path of every rule, peer and port.

Sources: kubernetes/api:networking/v1/types.go; kubernetes-sigs/network-policy-api:apis/v1alpha1, apis/v1alpha2.
"""

from __future__ import annotations

from meshcheck.model.core import Selector
from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import record, value

INGRESS, EGRESS = "ingress", "egress"


@value
class PodPeer:
    """Pods by labels. `namespaces` None means the policy's own namespace; `pods` None means all of them."""

    namespaces: Selector | None
    pods: Selector | None
    field: Path


@value
class BlockPeer:
    """Addresses: in `cidr` and in none of `excepts`."""

    cidr: str
    excepts: tuple[str, ...]
    field: Path
    means_pods: bool = False
    """Whether addresses of pods are meant, too: in admin policies they are, for NetworkPolicy plugins differ."""


@value
class NodePeer:
    """Nodes by labels (admin policies, experimental)."""

    nodes: Selector
    field: Path


@value
class DomainPeer:
    """Names outside the cluster (admin policies, experimental)."""

    names: tuple[str, ...]
    field: Path


@value
class UnknownPeer:
    """A peer that nobody here understands: it fails closed."""

    field: Path


Peer = PodPeer | BlockPeer | NodePeer | DomainPeer | UnknownPeer


@value
class PortRange:
    """Ports `low` to `high` of a protocol (None: any protocol), or those of the destination's port `name`."""

    protocol: str | None
    low: int
    high: int
    name: str | None
    field: Path


@record
class PolicyRule:
    """One rule. Empty `peers` is everybody (only in NetworkPolicy), empty `ports` is every port.

    `action` is Accept for NetworkPolicy; Accept, Deny or Pass for admin policies.
    """

    index: int
    name: str
    action: str
    peers: tuple[Peer, ...]
    ports: tuple[PortRange, ...]
    field: Path


@record
class NetworkPolicy:
    """A NetworkPolicy. `directions` are those it isolates; rules of others are inert."""

    meta: Meta
    pods: Selector
    directions: frozenset[str]
    ingress: tuple[PolicyRule, ...]
    egress: tuple[PolicyRule, ...]

    def rules(self, direction: str) -> tuple[PolicyRule, ...]:
        """Rules of a direction."""
        return self.ingress if direction == INGRESS else self.egress


@record
class AdminPolicy:
    """AdminNetworkPolicy, BaselineAdminNetworkPolicy or ClusterNetworkPolicy. `tier` is Admin or Baseline; low `priority` goes first."""

    meta: Meta
    tier: str
    priority: int
    subject: PodPeer | None
    ingress: tuple[PolicyRule, ...]
    egress: tuple[PolicyRule, ...]

    def rules(self, direction: str) -> tuple[PolicyRule, ...]:
        """Rules of a direction."""
        return self.ingress if direction == INGRESS else self.egress
