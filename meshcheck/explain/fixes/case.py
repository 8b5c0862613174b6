"""A refused call, a candidate for its way out, and steps of a patch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from meshcheck.model.core import Workload
from meshcheck.model.json_patch import Step, pointer
from meshcheck.model.objects import Meta, ObjectRef, Origin, Path
from meshcheck.model.question import Question
from meshcheck.model.record import NamedTuple, record
from meshcheck.model.trace import DENIED, Hop, Station, Trace
from meshcheck.semantics.world import World

Values = Callable[[Origin | None], Mapping[str, Any] | None]
"""The object that was read at an origin, as it was written."""


@record
class Candidate:
    """A change that may let the call through. `wide`: 0 where it opens little beside the call, 1 more, 2 much."""

    description: str
    patches: tuple[tuple[Meta, tuple[Step, ...]], ...]
    """For each object its steps; a new object has one: `add` with an empty path."""
    wide: int = 0
    beside: Meta | None = None
    """Of a new object: one in whose file it may stand."""

    @property
    def size(self) -> int:
        """How much is written or taken away: a new object counts more than some lines."""
        return sum(
            (5 if step["path"] == "" else 1) + (_leaves(step.get("value")) if step["op"] != "remove" else 1)
            for _, steps in self.patches
            for step in steps
        )


def single(description: str, meta: Meta, *steps: Step, wide: int = 0) -> Candidate:
    """A change of one object."""
    return Candidate(description, ((meta, steps),), wide)


def _leaves(value: Any) -> int:
    if isinstance(value, dict):
        return sum(1 + _leaves(item) for item in value.values())
    if isinstance(value, list):
        return sum(map(_leaves, value))
    return 1


class Case(NamedTuple):
    """A refused call: the trace, and the station that decides."""

    world: World
    trace: Trace
    number: int
    """Of the hop, counted from 1."""
    station: Station
    values: Values

    @property
    def question(self) -> Question:
        return self.trace.question

    @property
    def hop(self) -> Hop:
        return self.trace.hops[self.number - 1]

    @property
    def stations(self) -> Iterator[Station]:
        """All stations, from the first to the one that decides."""
        for hop in self.trace.hops[: self.number]:
            for station in hop.stations:
                yield station
                if station is self.station:
                    return

    @property
    def decider(self) -> Meta | None:
        return self.station.decider.meta if self.station.decider is not None else None

    @property
    def server(self) -> Workload | None:
        """The workload at which the station stands."""
        return self.workload(self.station.workload)

    @property
    def source(self) -> Workload | None:
        """Who calls on this hop."""
        return self.workload(self.hop.source)

    @property
    def target(self) -> Workload | None:
        """Who is called on this hop."""
        return self.workload(self.hop.target)

    def workload(self, name: str | None) -> Workload | None:
        """A workload by `NAMESPACE/NAME`, with or without a port behind it."""
        namespace, slash, rest = (name or "").partition("/")
        return self.world.find_workload(namespace, rest.partition(":")[0]) if slash else None

    def raw(self, meta: Meta | None) -> Mapping[str, Any] | None:
        """An object as it was written; None where that is not known."""
        return self.values(meta.origin) if meta is not None and meta.origin is not None else None

    @property
    def path(self) -> str:
        """The path of the request, without its query."""
        return self.question.path.partition("?")[0]

    @property
    def identity(self) -> str | None:
        """The identity that the server sees."""
        return next((s.identity for s in reversed(self.hop.stations) if s.identity), None)


def case_of(world: World, trace: Trace, values: Values) -> Case | None:
    """The case of a trace; None where nobody refuses."""
    found = trace.decided_at
    return Case(world, trace, found[0], found[1], values) if found is not None and trace.verdict == DENIED else None


# ---- steps ----


def at(value: Any, path: Sequence[str | int]) -> Any:
    """What stands at a path; None where nothing does."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def put(raw: Any, path: Path, new: Any) -> Step:
    """The step that makes a field have a value, with the mappings around it where they are not there."""
    here: Any = raw
    for depth, key in enumerate(path):
        if depth == len(path) - 1:
            there = isinstance(here, Mapping) and key in here
            return {"op": "replace" if there else "add", "path": pointer(path), "value": new}
        deeper = at(here, (key,))
        if deeper is None:
            for outer in reversed(path[depth + 1 :]):
                new = {outer: new}
            there = isinstance(here, Mapping) and key in here
            return {"op": "replace" if there else "add", "path": pointer(path[: depth + 1]), "value": new}
        here = deeper
    return {"op": "replace", "path": "", "value": new}


def push(raw: Any, path: Path, new: Any) -> Step:
    """The step that puts a value at the end of a list, which is made where it is not there."""
    if isinstance(at(raw, path), list):
        return {"op": "add", "path": f"{pointer(path)}/-", "value": new}
    return put(raw, path, [new])


def drop(path: Path) -> Step:
    """The step that takes a field away."""
    return {"op": "remove", "path": pointer(path)}


def change(path: Path, new: Any) -> Step:
    """The step that gives a field that is there another value."""
    return {"op": "replace", "path": pointer(path), "value": new}


def created(kind: str, api_version: str, namespace: str, name: str, **spec: Any) -> tuple[Meta, tuple[Step, ...]]:
    """A new object, as a patch. `spec` holds its fields beside metadata."""
    meta = Meta(ObjectRef(api_version, kind, namespace, name), {}, {}, "", None)
    value = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **spec}
    return meta, ({"op": "add", "path": "", "value": value},)


_IDENTIFYING = ("app.kubernetes.io/name", "app.kubernetes.io/instance", "app", "k8s-app", "name", "component")
_PASSING = frozenset(["pod-template-hash", "controller-revision-hash", "version", "app.kubernetes.io/version", "helm.sh/chart"])


def telling_labels(world: World, workload: Workload) -> dict[str, str]:
    """The fewest labels that tell a workload's pods from others of its namespace; all that stay, where nothing less does."""
    labels = {key: value for key, value in workload.pod_labels.items() if key not in _PASSING}
    others = [w for w in world.workloads_in(workload.namespace) if w is not workload and w.owner != workload.meta.ref]
    order = sorted(labels, key=lambda key: (_IDENTIFYING.index(key) if key in _IDENTIFYING else len(_IDENTIFYING), key))
    chosen: dict[str, str] = {}
    for key in order:
        if chosen and not any(_has(w, chosen) for w in others):
            break
        if not chosen or any(_has(w, chosen) and w.pod_labels.get(key) != labels[key] for w in others):
            chosen[key] = labels[key]
    return chosen or dict(workload.pod_labels)


def _has(workload: Workload, labels: Mapping[str, str]) -> bool:
    return all(workload.pod_labels.get(key) == value for key, value in labels.items())


def free_name(world: World, kind: str, namespace: str, wanted: str) -> str:
    """A name that no object of the kind has in the namespace."""
    name = "".join(c if c.isascii() and (c.isalnum() or c == "-") else "-" for c in wanted.lower()).strip("-")[:50].rstrip("-")
    taken = {o.meta.name for o in world.inventory.of(kind) if o.meta.namespace == namespace}
    return next(free for n in range(1, len(taken) + 2) if (free := name if n == 1 else f"{name}-{n}") not in taken)
