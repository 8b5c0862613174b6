"""Whose calls to a target have to be compared between two Worlds: those that something changed can touch, one of each kind."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from meshcheck.analyse.affected import Affected, Name
from meshcheck.analyse.alike import Alike
from meshcheck.analyse.ends import End, Party
from meshcheck.analyse.shape import Shape
from meshcheck.analyse.wires import Wires
from meshcheck.model.question import Caller, Question, Target
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.tracing import caller, network
from meshcheck.semantics.tracing import target as targets
from meshcheck.semantics.world import World


class Goal(NamedTuple):
    """A target, and what it is made of."""

    name: str
    target: Target
    shape: Shape
    key: Name
    pods: frozenset[Name]


def caller_of(name: Name) -> Caller:
    """A workload as a question names it."""
    return Caller(namespace=name[0], workload=name[1])


class Callers:
    """The callers of two Worlds, and what their calls depend on."""

    def __init__(self, worlds: tuple[World, World], touched: Affected) -> None:
        self._worlds, self._touched = worlds, touched
        self._tables = tuple({(w.namespace, f"{w.kind}/{w.name}"): w for w in world.workloads if not w.ended} for world in worlds)
        self._every: tuple[Name, ...] = tuple(dict.fromkeys((*self._tables[0], *self._tables[1])))
        self._alike = tuple(Alike(world) for world in worlds)
        self._wires = tuple(Wires(world) for world in worlds)
        self._names_resolve: dict[Name, bool] = {}

    def has(self, world: World, name: Name) -> bool:
        """Whether a workload is in one of the Worlds."""
        return name in self._tables[self._worlds.index(world)]

    def groups(self, goal: Goal) -> Iterator[tuple[Name, ...]]:
        """Callers whose calls to a target may change, those that fare alike in both Worlds together."""
        names = tuple(self._touching(goal))
        if not names:
            return
        question = Question(Caller(), goal.target, protocol=goal.shape.protocol, headers={})
        keys: dict[Name, list[Hashable]] = {name: [] for name in names}
        for world, table, alike in zip(self._worlds, self._tables, self._alike):
            servers = tuple(w for namespace, name in goal.pods if (w := world.find_workload(namespace, name)) is not None)
            here = {name: workload for name in names if (workload := table.get(name)) is not None}
            parties = {id(workload): name for name, workload in here.items()}
            end = End(goal.target, goal.shape.protocol, servers)
            for party, key in alike.keys((Party(caller_of(name), workload) for name, workload in here.items()), end, question):
                name = parties[id(party.workload)]
                keys[name].append(name if isinstance(key, int) else key)  # a number: it is compared with nobody
            for name in names:
                if name not in here:
                    keys[name].append(None)
        found: dict[Hashable, list[Name]] = {}
        for name, both in keys.items():
            found.setdefault(tuple(both), []).append(name)
        yield from map(tuple, found.values())

    def _touching(self, goal: Goal) -> Iterator[Name]:
        touched = self._touched
        routed = any(alike.is_routed(End(goal.target, goal.shape.protocol, ())) for alike in self._alike)
        somewhere = touched.targets or touched.services or touched.wired_targets
        if (
            touched.targets is None
            or touched.services is None
            or touched.callers is None
            or goal.key in touched.services
            or not goal.pods.isdisjoint(touched.targets)
            or (bool(somewhere) and routed)
        ):
            yield from self._every
            return
        wired = not goal.pods.isdisjoint(touched.wired_targets)
        for name in self._every if wired else {**dict.fromkeys(touched.callers), **dict.fromkeys(touched.wired_callers)}:
            if name not in self._tables[0] and name not in self._tables[1]:
                continue
            if name in touched.callers or routed or not goal.pods or self._says_otherwise(name, goal):
                yield name

    def _says_otherwise(self, name: Name, goal: Goal) -> bool:
        """Whether network policies say something else to a pair in the two Worlds, or may."""
        if not self._resolves_alike(name):
            return True
        sources = [table.get(name) for table in self._tables]
        for namespace, pod in goal.pods:
            servers = [world.find_workload(namespace, pod) for world in self._worlds]
            said = [
                wires.said(source, server) if source is not None and server is not None else None
                for wires, source, server in zip(self._wires, sources, servers)
            ]
            if None in said or said[0] != said[1]:
                return True
        return False

    def _resolves_alike(self, name: Name) -> bool:
        """Whether the caller gets names resolved in both Worlds, or in neither."""
        if name not in self._names_resolve:
            said = []
            for world in self._worlds:
                question = Question(caller_of(name), Target(host="name.namespace"), headers={})
                who = caller.view(world, question.caller)
                station = network.name_resolution(world, question, who, targets.view(world, question, who.namespace), False)
                said.append((station.verdict, station.missing) if station is not None else None)
            self._names_resolve[name] = said[0] == said[1]
        return self._names_resolve[name]
