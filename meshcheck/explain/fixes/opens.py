"""What else a change opens, by the symbolic comparison of both Worlds: for the caller itself, for others, and at other targets."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.analyse.between import compare
from meshcheck.analyse.classes import Change
from meshcheck.analyse.shape import Shape
from meshcheck.model.core import Workload
from meshcheck.model.question import Caller, Question, Target
from meshcheck.model.record import NamedTuple, replace
from meshcheck.model.trace import ALLOWED, Opened
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World

MOST_CALLERS = 8
MOST_TARGETS = 6
MOST_CLASSES = 40
"""Ways through the mesh that are looked at for one pair."""


class _Pair(NamedTuple):
    """A caller and a target, in words and as a question has them."""

    who: str
    what: str
    caller: Caller
    target: Target


def opened(old: World, new: World, question: Question, connection: bool = False) -> tuple[Opened, ...]:
    """What gets through with the change and did not before, beside the call that was asked about; an example for each.

    `connection`: the call was refused before anybody looked at the request, so that a change opens the connection and what goes over it.
    Callers and targets beside those of the question are looked at up to a number; requests of a pair are looked at all.
    """
    shape = Shape(protocol=question.protocol)
    found: dict[tuple[str, str], list[tuple[_Pair, Change]]] = {}
    out = [] if connection else list(_of_the_caller(old, new, question, shape))
    for pair in _pairs(new, question):
        for change in compare(old, new, pair.caller, pair.target, shape, most=MOST_CLASSES).changes:
            if change.opens:
                found.setdefault((change.description, pair.what), []).append((pair, change))
                break
    for (description, what), several in found.items():
        names = [pair.who for pair, _ in several]
        more = f" and {len(names) - 2} others" if len(names) > 3 else ""
        who = ", ".join(names[: 2 if more else 3]) + more
        out.append(Opened(f"{who} → {what}: {description}", several[0][1].witness))
    return tuple(out)


def _of_the_caller(old: World, new: World, question: Question, shape: Shape) -> Iterator[Opened]:
    """Other requests of the same caller to the same target.

    Calls of a browser, with a token or with a Host of their own are more than caller, target and shape say: of those some others are tried.
    """
    if question.origin is not None or question.jwt is not None or question.claims is not None or question.host is not None:
        found = next((asked for asked in _others(question) if _opens(old, new, asked)), None)
        if found is not None:
            yield Opened(f"the same caller: other requests, such as {found.method} {found.path}", found)
        return
    asked = question.method, question.path.partition("?")[0]
    for change in compare(old, new, question.caller, question.target, shape, most=MOST_CLASSES).changes:
        if not change.opens:
            continue
        example: Question | None = change.witness
        if (change.witness.method, change.witness.path.partition("?")[0]) == asked:  # the shortest of its class: are there others?
            example = next((other for other in _others(question) if _opens(old, new, other)), None)
        if example is not None:
            yield Opened(f"the same caller: {change.description}", example)


def _others(question: Question) -> list[Question]:
    """Requests like the one that was asked about, with another method or another path."""
    if not question.is_http and question.protocol != "https":
        return []
    path = question.path.partition("?")[0]
    method = "DELETE" if question.method != "DELETE" else "GET"
    paths = [f"{path.rstrip('/')}/{_STRANGE}", f"/{_STRANGE}"]
    return [replace(question, method=method), *(replace(question, path=other) for other in paths)]


_STRANGE = "another"


def _opens(old: World, new: World, asked: Question) -> bool:
    return trace(new, asked, explain=False).verdict == ALLOWED and trace(old, asked, explain=False).verdict != ALLOWED


def _pairs(world: World, question: Question) -> Iterator[_Pair]:
    """Other callers at the same target, and the same caller at other targets."""
    caller, target = question.caller, question.target
    own = world.find_workload(caller.namespace or "", caller.workload or caller.pod or "") if caller.workload or caller.pod else None
    called = _called(world, question)
    where = (
        f"{target.namespace}/{target.service}" if target.service else target.host or f"{target.namespace}/{target.workload or target.pod}"
    )
    for workload in _different(world, own, called)[:MOST_CALLERS]:
        yield _Pair(str(workload), where, Caller(namespace=workload.namespace, workload=f"{workload.kind}/{workload.name}"), target)
    if target.via is not None or caller.external:
        return
    shown = 0
    for service in sorted(world.services, key=lambda s: (called is None or s.namespace != called.namespace, s.namespace, s.name)):
        port = next((p.number for p in service.ports if p.protocol == question.transport), None)
        pods = world.pods_of(service)
        if port is None or not pods or (called is not None and called in pods) or (own is not None and own in pods):
            continue
        name = f"{service.namespace}/{service.name}"
        who = str(own) if own is not None else caller.ip or "the same caller"
        yield _Pair(who, name, caller, Target(namespace=service.namespace, service=service.name, port=port))
        shown += 1
        if shown == MOST_TARGETS:
            return


def _called(world: World, question: Question) -> Workload | None:
    """A workload that the question calls; None where nobody here knows it."""
    from meshcheck.semantics.tracing import target as targets

    backends = targets.view(world, question, question.caller.namespace).backends
    return next((b.workload for b in backends if b.workload is not None), None)


def _different(world: World, own: Workload | None, called: Workload | None) -> list[Workload]:
    """Workloads that policies tell apart: one for each namespace and service account, those of other namespaces in turn."""
    seen: dict[str, Workload] = {}
    for workload in world.workloads:
        if workload is own or workload is called or workload.host_network:
            continue
        told = workload.namespace, workload.service_account, sorted(workload.pod_labels.items(), key=repr)
        seen.setdefault(repr(told), workload)  # labels of a refused object may be anything
    by_namespace: dict[str, list[Workload]] = {}
    for workload in seen.values():
        by_namespace.setdefault(workload.namespace, []).append(workload)
    home = called.namespace if called is not None else ""
    lists = sorted(by_namespace.items(), key=lambda item: (item[0] != home, item[0]))
    out: list[Workload] = []
    depth = 0
    while len(out) < MOST_CALLERS and any(depth < len(items) for _, items in lists):
        out += [items[depth] for _, items in lists if depth < len(items)]
        depth += 1
    return out
