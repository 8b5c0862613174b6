"""What network policies let through between all pods and addresses, port by port, and what changes of it between two Worlds.

The answers are those of the trace engine, asked about network policies alone; ports and addresses that no policy tells apart are asked
about once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, summarize_address_range
from itertools import pairwise

from meshcheck.model.calico import EntityRule
from meshcheck.model.cilium import CidrGroupPeer, CidrPeer, CiliumRule
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import EGRESS, INGRESS, BlockPeer, PortRange
from meshcheck.model.question import Caller, Question, Target
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import ALLOWED, UNKNOWN
from meshcheck.semantics.addresses import parse_block
from meshcheck.semantics.tracing.plugins import CALICO
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World

PROTOCOLS = ("TCP", "UDP", "SCTP")
PORTS = 65535
_TOP = 1 << 32
_KINDS = ("NetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")


class End(NamedTuple):
    """One end of connections: the pods of a workload, or addresses outside the cluster that no policy tells apart."""

    namespace: str
    """Empty for addresses."""
    name: str
    """`Kind/name` of a workload; the blocks of addresses with commas."""
    address: str = ""
    """One of the addresses."""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


Spans = tuple[tuple[int, int], ...]
"""Closed intervals of ports, in order."""


class Connections(NamedTuple):
    """Ports that are let through, by protocol; and those of which it is not known."""

    allowed: Mapping[str, Spans]
    unknown: Mapping[str, Spans]


NONE = Connections({}, {})


class Changed(NamedTuple):
    """A pair of which connections change. `old` or `new` is None where the end is not there."""

    source: End
    target: End
    old: Connections | None
    new: Connections | None

    @property
    def kind(self) -> str:
        """`added`, `removed` or `changed`; what is not known may be there."""
        old, new = self.old or NONE, self.new or NONE
        return "added" if old == NONE else "removed" if new == NONE else "changed"


class Network:
    """The network policies of one World, and what they let through. `borders` are first ports, and first addresses, of all that policies
    tell apart; two Worlds are compared with the borders of both.
    """

    def __init__(self, world: World, ports: Iterable[int], addresses: Iterable[int]) -> None:
        self.world = world
        self._ports = sorted(ports)
        self._addresses = sorted(addresses)
        self.workloads = {
            End(w.namespace, f"{w.owner.kind}/{w.owner.name}" if _owned(w) and w.owner else f"{w.kind}/{w.name}"): w
            for w in world.workloads
            if not w.ended
        }

    def outside(self) -> tuple[End, ...]:
        """Addresses outside the cluster, in classes that no policy tells apart."""
        return outside(self.world, self._addresses)

    def between(self, source: End, target: End) -> Connections | None:
        """What gets from one end to the other; None where a workload is not in this World."""
        if any(end.namespace and end not in self.workloads for end in (source, target)):
            return None
        allowed: dict[str, Spans] = {}
        unknown: dict[str, Spans] = {}
        starts = [*self._ports, PORTS + 1]
        for protocol in PROTOCOLS:
            answers = [(low, high - 1, self._ask(source, target, protocol, low)) for low, high in pairwise(starts)]
            for verdict, kept in ((ALLOWED, allowed), (UNKNOWN, unknown)):
                if spans := _joined((low, high) for low, high, answer in answers if answer == verdict):
                    kept[protocol] = spans
        return Connections(allowed, unknown)

    def _ask(self, source: End, target: End, protocol: str, port: int) -> str:
        caller = Caller(namespace=source.namespace, workload=source.name) if source.namespace else Caller(ip=source.address)
        called = (
            Target(namespace=target.namespace, workload=target.name, port=port)
            if target.namespace
            else Target(ip=target.address, port=port)
        )
        question = Question(caller, called, protocol=protocol.lower(), headers={}, network_policy_only=True)
        return trace(self.world, question, explain=False).verdict


def networks(old: World, new: World) -> tuple[Network, Network]:
    """Both Worlds, cut at the borders of both."""
    ports = {1}.union(*(port_borders(world) for world in (old, new)))
    addresses = {0}.union(*(address_borders(world) for world in (old, new)))
    return Network(old, ports, addresses), Network(new, ports, addresses)


def changes(old: World, new: World, among: frozenset[tuple[str, str]] | None = None) -> Iterator[Changed]:
    """Pairs of which connections change: pods with pods, and pods with addresses. `among`: only pairs with one of these workloads
    (namespace, `Kind/name`).
    """
    before, after = networks(old, new)
    pods = dict.fromkeys((*before.workloads, *after.workloads))
    addresses = dict.fromkeys((*outside_of_both(before, after),))
    for source in (*pods, *addresses):
        for target in (*pods, *addresses):
            if source == target or not (source.namespace or target.namespace):
                continue
            if among is not None and source[:2] not in among and target[:2] not in among:
                continue
            one, two = before.between(source, target), after.between(source, target)
            if (one or NONE) != (two or NONE):
                yield Changed(source, target, one, two)


def outside_of_both(before: Network, after: Network) -> tuple[End, ...]:
    """Classes of addresses that neither World tells apart."""
    return _classes((before.world, after.world), before._addresses)


def outside(world: World, borders: Iterable[int] | None = None) -> tuple[End, ...]:
    """Classes of addresses that a World does not tell apart."""
    return _classes((world,), sorted({0, *(borders if borders is not None else address_borders(world))}))


def port_borders(world: World) -> set[int]:
    """First ports of what policies tell apart: those of entries, those behind them, and those that names of ports stand for."""
    out = {1}
    named = False
    for span in _spans(world):
        named = named or span.name is not None
        if span.name is None:
            out |= {span.low, span.high + 1}
    if named:
        out |= {number for w in world.workloads for port in w.ports if port.name for number in (port.number, port.number + 1)}
    return {port for port in out if 1 <= port <= PORTS}


def address_borders(world: World) -> set[int]:
    """First IPv4 addresses of what policies tell apart."""
    out = {0}
    for block in _blocks(world):
        parsed = parse_block(block)
        if parsed is not None and parsed.bits == 32:
            out |= {parsed.number << parsed.shift, (parsed.number + 1) << parsed.shift}
    return {number for number in out if number < _TOP}


def _classes(worlds: tuple[World, ...], borders: list[int]) -> tuple[End, ...]:
    """Stretches between borders, those that lie in the same blocks together."""
    blocks = [parsed for world in worlds for text in _blocks(world) if (parsed := parse_block(text)) is not None and parsed.bits == 32]
    found: dict[tuple[bool, ...], list[tuple[int, int]]] = {}
    for low, high in pairwise([*borders, _TOP]):
        found.setdefault(tuple(low >> block.shift == block.number for block in blocks), []).append((low, high - 1))
    return tuple(End("", _written(spans), str(IPv4Address(spans[0][0] + min(1, spans[0][1] - spans[0][0])))) for spans in found.values())


def _written(spans: list[tuple[int, int]]) -> str:
    joined = _joined(spans)
    blocks = [str(net) for low, high in joined for net in summarize_address_range(IPv4Address(low), IPv4Address(high))]
    return ", ".join(blocks) if len(blocks) <= 4 else ", ".join(f"{IPv4Address(low)}-{IPv4Address(high)}" for low, high in joined)


def _joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """Intervals with neighbours put together."""
    out: list[tuple[int, int]] = []
    for low, high in spans:
        if out and out[-1][1] + 1 >= low:
            out[-1] = out[-1][0], max(high, out[-1][1])
        else:
            out.append((low, high))
    return tuple(out)


def _spans(world: World) -> Iterator[PortRange]:
    for kind in _KINDS:
        for policy in world.inventory.of(kind):
            for direction in (INGRESS, EGRESS):
                yield from (span for rule in policy.rules(direction) for span in rule.ports)
    yield from (span for rule in _of_cilium(world) for entry in rule.ports or () for span in entry.ports)
    for entity in _of_calico(world):
        for port in (*entity.ports, *entity.not_ports):
            yield PortRange(None, port.low, port.high, port.name or None, port.field)
        service = world.service(*entity.service) if entity.service is not None else None
        for number in (number for one in (service.ports if service else ()) for number in _targets(world, one.target)):
            yield PortRange(None, number, number, None, entity.field)


def _targets(world: World, target: int | str) -> Iterator[int]:
    """The numbers that a Service's port may lead to."""
    if isinstance(target, int):
        yield target
    else:
        yield from (port.number for workload in world.workloads for port in workload.ports if port.name == target)


def _of_calico(world: World) -> Iterator[EntityRule]:
    for kind in CALICO:
        for policy in world.inventory.of(kind):
            for rule in (*policy.ingress, *policy.egress):
                yield from (rule.source, rule.destination)


def _of_cilium(world: World) -> Iterator[CiliumRule]:
    for kind in ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"):
        for policy in world.inventory.of(kind):
            yield from (rule for spec in policy.specs for rule in (*spec.ingress, *spec.egress))


def _blocks(world: World) -> Iterator[str]:
    for kind in _KINDS:
        for policy in world.inventory.of(kind):
            rules = (*policy.rules(INGRESS), *policy.rules(EGRESS))
            for peer in (peer for rule in rules for peer in rule.peers if isinstance(peer, BlockPeer)):
                yield from (peer.cidr, *peer.excepts)
    for cilium in (peer for rule in _of_cilium(world) for peer in rule.peers or ()):
        if isinstance(cilium, CidrPeer):
            yield from (text if "/" in text else f"{text}/32" for text in (cilium.cidr, *cilium.excepts))
        elif isinstance(cilium, CidrGroupPeer):
            yield from cilium.excepts
    nets = [net for entity in _of_calico(world) for net in (*entity.nets, *entity.not_nets)]
    sets = [net for kind in ("CalicoNetworkSet", "CalicoGlobalNetworkSet") for one in world.inventory.of(kind) for net in one.nets]
    yield from (net if "/" in net else f"{net}/32" for net in (*nets, *sets))
    yield from (cidr if "/" in cidr else f"{cidr}/32" for group in world.inventory.of("CiliumCIDRGroup") for cidr in group.cidrs)


def _owned(workload: Workload) -> bool:
    return workload.kind == "Pod" and workload.owner is not None and bool(workload.owner.kind)
