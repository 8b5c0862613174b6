"""What becomes of calls when objects change: pair by pair, over all requests.

Targets are the ports of Services and of ServiceEntries' hosts, and every way from outside. Calls that nothing changed can touch
(`affected.py`) are not asked about; callers that nothing tells apart (`alike.py`) are asked about once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from meshcheck.analyse.affected import Affected
from meshcheck.analyse.between import compare, requests_between
from meshcheck.analyse.callers import Callers, Goal, caller_of
from meshcheck.analyse.classes import Change, RequestClass
from meshcheck.analyse.shape import Shape
from meshcheck.model.question import Caller, Question, Target
from meshcheck.model.record import record
from meshcheck.model.trace import ALLOWED
from meshcheck.semantics import port_protocol
from meshcheck.semantics.entry.ways import ways_in
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World

OUTSIDE = "outside"
Kind = Literal["opens", "closes", "answer", "policy", "unknown"]
"""What becomes of requests.

opens, closes  they get through now, or no longer
answer         they are refused before and after, in another way
policy         the same answer, decided by another object or rule
unknown        it becomes known, or is no longer known, what happens to them
"""


@record
class CallChange:
    """Requests of some callers to one target that fare otherwise. `old` or `new` is None where an end of the call is not there."""

    kind: Kind
    callers: tuple[str, ...]
    """NAMESPACE/NAME, or `outside`."""
    target: str
    """`NAMESPACE/SERVICE:PORT`, `HOST:PORT`, or the address of a way in."""
    witness: Question
    description: str
    old: RequestClass | None
    new: RequestClass | None


@record
class Difference:
    """All changes, the grave ones first; `inexact` says where something is left open."""

    changes: tuple[CallChange, ...]
    inexact: tuple[str, ...]
    asked: int
    """How many pairs of a class of callers and a target were asked about."""


def difference(old: World, new: World, touched: Affected, progress: Callable[[int, int], None] | None = None) -> Difference:
    """Compare two Worlds. `progress` is told how many of how many targets are done."""
    worlds = old, new
    changes: list[CallChange] = []
    inexact: dict[str, None] = {}
    asked = 0
    goals = _goals(worlds)
    callers = Callers(worlds, touched)
    for number, (before, after) in enumerate(goals.values()):
        if progress is not None:
            progress(number, len(goals))
        goal = _joined(before, after)
        for group in callers.groups(goal):
            asked += 1
            names = tuple(f"{namespace}/{name.partition('/')[2]}" for namespace, name in group)
            there = [side is not None and callers.has(world, group[0]) for world, side in zip(worlds, (before, after))]
            found, left_open = _compare(worlds, there, caller_of(group[0]), goal.target, goal.shape)
            changes += [_change(kind, names, goal.name, one) for kind, one in found]
            inexact |= dict.fromkeys(f"{names[0]} → {goal.name}: {why}" for why in left_open)
    for address, (target, shape, there) in _ways(worlds, touched).items():
        asked += 1
        found, left_open = _compare(worlds, there, Caller(external=True), target, shape)
        changes += [_change(kind, (OUTSIDE,), address, one) for kind, one in found]
        inexact |= dict.fromkeys(f"{OUTSIDE} → {address}: {why}" for why in left_open)
    order = ("opens", "closes", "unknown", "answer", "policy")
    return Difference(tuple(sorted(changes, key=lambda c: (order.index(c.kind), c.target, c.callers))), tuple(inexact), asked)


_One = tuple[Question, str, RequestClass | None, RequestClass | None]


def _change(kind: Kind, callers: tuple[str, ...], target: str, one: _One) -> CallChange:
    return CallChange(kind, callers, target, *one)


def _compare(
    worlds: tuple[World, World], there: list[bool], caller: Caller, target: Target, shape: Shape
) -> tuple[list[tuple[Kind, _One]], tuple[str, ...]]:
    """Changes of one caller to one target, and why something is left open."""
    old, new = worlds
    if all(there):
        comparison = compare(old, new, caller, target, shape)
        return [(_kind(c), (c.witness, c.description, c.old, c.new)) for c in comparison.changes if _counts(c)], comparison.inexact
    if not any(there):
        return [], ()
    classes = requests_between(new if there[1] else old, caller, target, shape)
    found: list[tuple[Kind, _One]] = [
        ("opens", (c.witness, c.description, None, c)) if there[1] else ("closes", (c.witness, c.description, c, None))
        for c in classes.of(ALLOWED)
    ]
    return found, classes.inexact


def _kind(change: Change) -> Kind:
    if change.opens:
        return "opens" if change.old.verdict == "denied" else "unknown"
    if change.closes:
        return "closes" if change.new.verdict == "denied" else "unknown"
    if change.old.verdict != change.new.verdict:
        return "unknown"
    same = (change.old.symptom.kind, change.old.symptom.status) == (change.new.symptom.kind, change.new.symptom.status)
    return "policy" if same else "answer"


def _counts(change: Change) -> bool:
    """Whether a change is one: network policies isolate together, and which of them is named first does not matter."""
    both = [one.policy is not None and one.policy.kind in _TOGETHER for one in (change.old, change.new)]
    return not (all(both) and _kind(change) == "policy")


_TOGETHER = (
    *("NetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"),
    *("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy"),
)


# ---- calls inside ----


def _goals(worlds: tuple[World, World]) -> dict[str, tuple[Goal | None, Goal | None]]:
    """What may be called by name, in each World."""
    found: dict[str, list[Goal | None]] = {}
    for side, world in enumerate(worlds):
        for goal in _called(world):
            found.setdefault(goal.name, [None, None])[side] = goal
    return {name: (sides[0], sides[1]) for name, sides in found.items()}


def _joined(before: Goal | None, after: Goal | None) -> Goal:
    """A target as both Worlds have it: the pods of both, and HTTP where one of them speaks it."""
    goal = after or before
    assert goal is not None
    if before is None or after is None:
        return goal
    shape = next((side.shape for side in (after, before) if side.shape.protocol == "http"), goal.shape)
    return goal._replace(shape=shape, pods=before.pods | after.pods)


def _called(world: World) -> Iterator[Goal]:
    for service in world.services:
        pods = frozenset((w.namespace, f"{w.kind}/{w.name}") for w in world.pods_of(service))
        for port in service.ports:
            if port.protocol in ("TCP", "UDP"):
                protocol = port_protocol.protocol_of(port)
                spoken = "udp" if port.protocol == "UDP" else "tcp" if protocol == port_protocol.TCP else "http"
                suffix = "" if port.protocol == "TCP" else f"/{port.protocol}"
                yield Goal(
                    f"{service.namespace}/{service.name}:{port.number}{suffix}",
                    Target(host=f"{service.name}.{service.namespace}", port=port.number),
                    Shape(protocol=spoken),
                    (service.namespace, service.name),
                    pods,
                )
    for entry in world.inventory.of("ServiceEntry"):
        for host in entry.hosts:
            for port in entry.ports:
                if "*" not in host:
                    spoken = "http" if port_protocol.protocol_of(port) == port_protocol.HTTP else "tcp"
                    yield Goal(
                        f"{host}:{port.number}", Target(host=host, port=port.number), Shape(protocol=spoken), ("", host), frozenset()
                    )


# ---- calls from outside ----


def _ways(worlds: tuple[World, World], touched: Affected) -> dict[str, tuple[Target, Shape, list[bool]]]:
    """Addresses by which calls come in and may change: (target, shape, in which Worlds)."""
    found: dict[str, tuple[Target, Shape, list[bool]]] = {}
    near: set[str] = set()
    for side, world in enumerate(worlds):
        for way in ways_in(world):
            if way.question is None:
                near.add(way.address)  # its path was not made up: it may lead anywhere
                continue
            asked = way.question
            found.setdefault(way.address, (asked.target, Shape(protocol=asked.protocol), [False, False]))[2][side] = True
            if touched.outside or way.address in near or _leads_there(world, asked, touched):
                near.add(way.address)
    return {address: way for address, way in found.items() if address in near or not all(way[2])}


def _leads_there(world: World, asked: Question, touched: Affected) -> bool:
    """Whether a call goes by a workload that is touched."""
    if touched.targets is None:
        return True
    names = {
        f"{namespace}/{name.partition('/')[2]}" for part in (touched.targets, touched.callers or frozenset()) for namespace, name in part
    }
    return any(name in hop.target or name in hop.source for hop in trace(world, asked, explain=False).hops for name in names)
