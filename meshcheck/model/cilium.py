"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy in one form, with the path of every rule, peer and port.

Source: cilium/cilium:pkg/policy/api (rule.go, ingress.go, egress.go, l4.go, http.go, fqdn.go, entity.go, service.go, cidr.go).
"""

from __future__ import annotations

from meshcheck.model.core import Selector
from meshcheck.model.network_policy import PortRange
from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import record, value


@value
class EndpointPeer:
    """Pods by labels of their identity; keys are as they are written (`k8s:`, `any:`, `reserved:` or nothing before them)."""

    selector: Selector
    field: Path


@value
class CidrPeer:
    """Addresses outside the cluster: in `cidr` and in none of `excepts`."""

    cidr: str
    excepts: tuple[str, ...]
    field: Path


@value
class CidrGroupPeer:
    """The addresses of CiliumCIDRGroups, by name or by labels."""

    name: str
    selector: Selector | None
    excepts: tuple[str, ...]
    field: Path


@value
class EntityPeer:
    """A class of ends: world, cluster, host, remote-node, kube-apiserver, all …"""

    name: str
    field: Path


@value
class ServicePeer:
    """What stands behind Services: one by name, or those with some labels. An empty namespace means any."""

    name: str
    namespace: str
    selector: Selector | None
    field: Path


@value
class NamePeer:
    """A name outside the cluster, or a pattern of names: addresses that Cilium's DNS proxy has seen in answers for them."""

    name: str
    pattern: str
    field: Path


@value
class UnreadPeer:
    """Nodes by label, groups of a cloud, and what else needs more than manifests."""

    what: str
    field: Path


CiliumPeer = EndpointPeer | CidrPeer | CidrGroupPeer | EntityPeer | ServicePeer | NamePeer | UnreadPeer


@value
class HeaderWanted:
    """A header: `value` None for any. `secret` is the name of a Secret that holds the value; empty for none."""

    name: str
    value: str | None
    secret: str
    field: Path


@value
class HttpRule:
    """One HTTP rule: all that is not empty must match; `path`, `method` and `host` are regular expressions for the whole text."""

    method: str
    path: str
    host: str
    headers: tuple[HeaderWanted, ...]
    field: Path


@record
class CiliumPorts:
    """One entry of `toPorts`. Without `ports` it opens nothing. `http` and `dns` empty: every request."""

    ports: tuple[PortRange, ...]
    http: tuple[HttpRule, ...]
    dns: tuple[NamePeer, ...]
    unread: tuple[str, ...]
    """Settings of which nobody knows here what they make of a connection: TLS contexts, server names, listeners."""
    field: Path


@record
class CiliumRule:
    """One entry of `ingress`, `ingressDeny`, `egress` or `egressDeny`.

    `peers` None: the rule says nothing about who; an empty tuple means nobody. `ports` None: the rule says nothing about ports.
    """

    index: int
    section: str
    denies: bool
    peers: tuple[CiliumPeer, ...] | None
    ports: tuple[CiliumPorts, ...] | None
    unread: tuple[str, ...]
    field: Path

    @property
    def nothing(self) -> bool:
        """Whether it names neither peers nor ports: then it matches nothing."""
        return self.peers is None and self.ports is None


@record
class CiliumSpec:
    """`spec`, or one of `specs`. `subject` None: it is about nodes (`nodeSelector`). `isolates`: directions that it closes by default."""

    subject: Selector | None
    ingress: tuple[CiliumRule, ...]
    egress: tuple[CiliumRule, ...]
    isolates: frozenset[str]
    flaw: str | None
    """Why Cilium does not take it."""
    field: Path

    def rules(self, direction: str) -> tuple[CiliumRule, ...]:
        """Rules of a direction, those that deny among them."""
        return self.ingress if direction == "ingress" else self.egress


@record
class CiliumPolicy:
    """A CiliumNetworkPolicy, or (without a namespace) a CiliumClusterwideNetworkPolicy."""

    meta: Meta
    specs: tuple[CiliumSpec, ...]


@record
class CidrGroup:
    """A CiliumCIDRGroup."""

    meta: Meta
    cidrs: tuple[str, ...]
