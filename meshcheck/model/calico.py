"""Calico's policies and what they are looked up in. All parts of a selector of one end hold for the same endpoint.

Source: projectcalico/calico:api/pkg/apis/projectcalico/v3/{policy_common,networkpolicy,globalnetworkpolicy,tier,networkset}.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.calico_selectors import Expression
from meshcheck.model.network_policy import INGRESS
from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import record, value

ALLOW, DENY, PASS, LOG = "Allow", "Deny", "Pass", "Log"
DEFAULT, KUBE_ADMIN, KUBE_BASELINE = "default", "kube-admin", "kube-baseline"
NAMESPACE, SERVICE_ACCOUNT, ORCHESTRATOR = (f"projectcalico.org/{name}" for name in ("namespace", "serviceaccount", "orchestrator"))
"""Labels that Calico gives to the endpoints of pods."""
OF_NAMESPACE, OF_ACCOUNT = "pcns.", "pcsa."
"""What stands before labels that pods have from their namespace and their service account."""


@value
class SelectorPart:
    """One selector, over the labels of endpoints. `name` is its field; `wanted` is how it was written."""

    name: str
    expression: Expression
    wanted: str
    field: Path


@value
class CalicoPort:
    """Ports `low` to `high`, or those that pods have under a `name`."""

    low: int
    high: int
    name: str
    field: Path

    def __str__(self) -> str:
        return self.name or (str(self.low) if self.low == self.high else f"{self.low}:{self.high}")


@value
class EntityRule:
    """What a rule says of one end: all that is written must hold."""

    selectors: tuple[SelectorPart, ...]
    excluded: SelectorPart | None
    nets: tuple[str, ...]
    not_nets: tuple[str, ...]
    ports: tuple[CalicoPort, ...]
    not_ports: tuple[CalicoPort, ...]
    service: tuple[str, str] | None
    """Namespace and name of a Service."""
    unread: str
    """A field that nobody here evaluates; else empty."""
    field: Path


@record
class CalicoRule:
    """One rule. `protocol` and `not_protocol` are numbers of IP protocols; None where nothing is written."""

    index: int
    action: str
    ip_version: int | None
    protocol: int | None
    not_protocol: int | None
    icmp: bool
    """It is about messages of ICMP of one type, which no connection is."""
    http: bool
    """It looks at requests, where application layer policy is there to look."""
    source: EntityRule
    destination: EntityRule
    field: Path


@record
class CalicoPolicy:
    """A NetworkPolicy or GlobalNetworkPolicy of Calico. `order` None is the last one."""

    meta: Meta
    name: str
    """Without the tier before it, as older versions write it."""
    tier: str
    order: float | None
    selectors: tuple[SelectorPart, ...]
    """The pods that it is about."""
    directions: frozenset[str]
    ingress: tuple[CalicoRule, ...]
    egress: tuple[CalicoRule, ...]
    for_hosts: bool
    """`doNotTrack` or `preDNAT`: it is about endpoints of hosts alone."""
    flaw: str
    """Why Calico may not take it; else empty."""

    def rules(self, direction: str) -> tuple[CalicoRule, ...]:
        """Rules of a direction."""
        return self.ingress if direction == INGRESS else self.egress


@record
class CalicoTier:
    """A tier: tiers of low `order` go first. `passes`: what no rule of its policies means goes on, instead of being denied."""

    meta: Meta
    order: float | None
    passes: bool


@record
class NetworkSet:
    """Addresses that selectors mean by labels (NetworkSet, GlobalNetworkSet)."""

    meta: Meta
    labels: Mapping[str, str]
    nets: tuple[str, ...]
    by_names: bool
    """It holds names, too, whose addresses nobody knows."""
