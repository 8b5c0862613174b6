"""All requests of one caller to one target, in classes.

Not by sampling: the trace engine is run with a watcher that is told of each look at the request (`meshcheck.semantics.watching`), and
run again for each look that could have ended otherwise, until no way through the mesh is left. So there is no second evaluator.
"""

from __future__ import annotations

import time

from meshcheck.analyse.classes import Change, Classes, Comparison, RequestClass
from meshcheck.analyse.explore import Explored, Fact, Leaf, explore
from meshcheck.analyse.looks import Look
from meshcheck.analyse.regexes import language_of
from meshcheck.analyse.shape import ANY, Shape
from meshcheck.analyse.spaces import Space
from meshcheck.analyse.words import description
from meshcheck.model.objects import ObjectRef
from meshcheck.model.question import Caller, Question, Target
from meshcheck.model.trace import ALLOWED, Station, Trace
from meshcheck.semantics import languages as sets
from meshcheck.semantics.authorization.strings import host_pattern, path_pattern, text_pattern
from meshcheck.semantics.languages import NotRegularError
from meshcheck.semantics.outbound.sending import authority_of
from meshcheck.semantics.tracing import target as targets
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.watching import Pattern
from meshcheck.semantics.world import World
from meshcheck.semantics.world.revisions import view_of

MOST_CLASSES = 2000
"""Where more ways through the mesh are found, the rest is left out and the result says so."""


def requests_between(
    world: World, caller: Caller, target: Target, shape: Shape = ANY, *, now: float | None = None, most: int = MOST_CLASSES
) -> Classes:
    """All requests of a shape from a caller to a target, in classes with a witness and a verdict each.

    `caller` and `target` as in a question. A caller from outside may have any address where it has none in `caller.ip`. A caller with the
    service account `*` is any workload with a sidecar that is not in the input: of its namespace, or without one of the namespaces that
    the input does not know.
    """
    clock = time.time() if now is None else now
    found = _explore((world,), caller, target, shape, clock, most)
    return Classes(tuple(_class(leaf, leaf.answers[0]) for leaf in found.leaves), found.inexact)


def compare(
    old: World, new: World, caller: Caller, target: Target, shape: Shape = ANY, *, now: float | None = None, most: int = MOST_CLASSES
) -> Comparison:
    """Requests from a caller to a target whose verdict, symptom or deciding policy differs between two worlds.

    A caller or target that only one of the worlds has is unknown in the other.
    """
    clock = time.time() if now is None else now
    found = _explore((old, new), caller, target, shape, clock, most)
    changes = []
    for leaf in found.leaves:
        before, after = (_class(leaf, answer) for answer in leaf.answers)
        if _key(before) != _key(after):
            changes.append(Change(leaf.witness, before.description, before, after))
    inexact = dict.fromkeys((*found.inexact, *(why for leaf in found.leaves for why in leaf.inexact)))
    if old.mesh.normalization != new.mesh.normalization:
        inexact["the normalisation of paths differs, so a path is not the same in both"] = None
    if any(len({mesh.normalization for mesh in world.revisions.meshes.values()}) > 1 for world in (old, new)):
        inexact["revisions of Istio normalise paths differently, so a path is not the same at each proxy"] = None
    return Comparison(tuple(changes), tuple(inexact))


def _key(one: RequestClass) -> tuple[object, ...]:
    return one.verdict, one.symptom.kind, one.symptom.status, one.policy, one.policy_id


def _explore(worlds: tuple[World, ...], caller: Caller, target: Target, shape: Shape, now: float, most: int) -> Explored[Trace]:
    world = worlds[-1]
    base = Question(caller=caller, target=target, protocol=shape.protocol, method="POST" if shape.protocol == "grpc" else "GET", headers={})
    what = targets.view(world, base, caller.namespace)
    any_source = caller.external and not caller.ip
    mesh = view_of(world, what.backends[0].workload if what.backends else None).mesh
    anybody = mesh.trust_domain if caller.service_account == "*" else None
    space = Space(base, authority_of(base, what).lower(), mesh.normalization, any_source, anybody)
    asks = [lambda asked, world=each: trace(world, asked, explain=False, now=now) for each in worlds]
    try:
        start = [*_start(shape), *([_nobody_known(worlds, caller)] if anybody is not None else [])]
    except NotRegularError as error:
        return Explored((), (str(error),))
    return explore(space, start, asks, most)


def _nobody_known(worlds: tuple[World, ...], caller: Caller) -> Fact:
    """Identities that no workload of the input has: in a namespace, or in those that the input does not know."""
    known: set[Pattern] = set()
    wanted = Pattern("some")
    for world in worlds:
        head = f"spiffe://{world.mesh.trust_domain}/ns/"
        if caller.namespace is None:
            known |= {Pattern("prefix", f"{head}{name}/") for name in world.namespaces}
        else:
            wanted = Pattern("prefix", f"{head}{caller.namespace}/")
            known |= {Pattern("exact", f"{head}{w.namespace}/sa/{w.service_account}") for w in world.workloads_in(caller.namespace)}
    meant = sets.all_of((language_of((wanted,)), sets.no(language_of(tuple(sorted(known))))))
    return Look("principal", meant, False), True


def _start(shape: Shape) -> list[Fact]:
    """What the shape itself says of the requests."""
    out: list[Fact] = []

    def fact(part: str, patterns: tuple[Pattern, ...], lines: bool = False) -> None:
        language = language_of(patterns)
        out.append((Look(part, sets.any_line(language) if lines else language, False, patterns), True))

    if shape.protocol in ("http", "https", "grpc"):
        methods = ("POST",) if shape.protocol == "grpc" else shape.methods
        if methods:
            fact("method", tuple(text_pattern(text, empty_counts=True) for text in methods))
        if shape.paths:
            fact("path", tuple(path_pattern(text) for text in shape.paths))
        if shape.hosts:
            fact("authority", tuple(host_pattern(text) for text in shape.hosts))
        for name, values in shape.headers:
            fact(f"header:{name}", tuple(text_pattern(text, empty_counts=True) for text in values or ("*",)), True)
        if shape.token is not None:
            out.append((Look("token", None, False), shape.token))
    return out


def _class(leaf: Leaf[Trace], answer: Trace) -> RequestClass:
    decider, policy_id = _decided(answer)
    return RequestClass(
        witness=leaf.witness,
        description=description(leaf.facts, leaf.witness),
        verdict=answer.verdict,
        symptom=answer.symptom,
        policy=decider,
        policy_id=policy_id,
        missing=answer.missing,
        reached=answer.reached,
        ended=answer.hops[-1].target if answer.hops else "",
        inexact=leaf.inexact,
    )


def _decided(answer: Trace) -> tuple[ObjectRef | None, str | None]:
    """The object that decides: that of the station that refuses or answers, else of the last one that admits the call by a policy."""
    decided = answer.decided_at
    station: Station | None = decided[1] if decided is not None else None
    if station is None and answer.verdict == ALLOWED:
        admitting = [s for hop in answer.hops for s in hop.stations if s.name == "authorization" and s.decider is not None]
        station = admitting[-1] if admitting else None
    if station is None:
        return None, None
    return station.decider.meta.ref if station.decider is not None else None, station.policy_id
