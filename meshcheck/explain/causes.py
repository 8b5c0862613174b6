"""What would have to be otherwise for the verdict to turn, likeliest first."""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.explain import traps
from meshcheck.explain.other_calls import other_call
from meshcheck.explain.servers import server_of
from meshcheck.model.objects import Meta, ObjectRef, dotted
from meshcheck.model.reason import Reason
from meshcheck.model.trace import DENIED, Cause, Station, Trace
from meshcheck.semantics.authorization.explanation import failures
from meshcheck.semantics.world import World
from meshcheck.semantics.world.sidecars import sidecar_of

MOST = 5


def causes_of(world: World, trace: Trace) -> tuple[Cause, ...]:
    """Ranked causes of a refusal; nothing for a call that is allowed or undecided."""
    found = trace.decided_at
    if found is None or trace.verdict != DENIED:
        return ()
    other = other_call(world, trace)
    return (*_of_station(world, trace, found[1]), *((other,) if other is not None else ()))


def _of_station(world: World, trace: Trace, station: Station) -> tuple[Cause, ...]:
    metas = {m.meta.ref: m.meta for m in station.policies}
    if station.decider is not None:
        metas[station.decider.meta.ref] = station.decider.meta
    if station.name in ("authorization", "custom") and station.reasons:
        if station.policy_id == "none":
            return tuple(_near_misses(world, station, metas))[:MOST]
        return (_matched(station, metas),)
    if station.name == "authorization" and station.decider is not None:
        decider = station.decider
        message = f"{_name(decider.meta.ref)} has no rules, so it allows nothing"
        return (Cause(message, decider.meta.ref, decider.meta, ("spec",)),)
    if station.name in ("network-policy", "dns"):
        return tuple(_network(station, metas))[:MOST]
    if station.name == "mtls":
        return tuple(_handshake(world, trace, station))
    if station.decider is not None:
        return (Cause(station.summary, station.decider.meta.ref, station.decider.meta, station.decider.field),)
    return (Cause(station.summary),)


def _handshake(world: World, trace: Trace, station: Station) -> Iterable[Cause]:
    """Of a failed handshake: what makes the caller talk as it does, then what the server insists on."""
    if "plaintext" in station.summary and not trace.question.caller.plaintext:
        yield from _no_sidecar(world, trace.hops[-1].source)
    for sent in (s for hop in trace.hops for s in hop.stations if s.name in ("client-tls", "client-sidecar")):
        by = sent.policies[0] if sent.policies else None
        if by is not None or sent.name == "client-sidecar" or "automatic" not in sent.summary:
            yield Cause(sent.summary, by.meta.ref if by else None, by.meta if by else None, by.field if by else ())
    decider = station.decider
    yield Cause(station.summary, decider.meta.ref if decider else None, decider.meta if decider else None, decider.field if decider else ())


def _no_sidecar(world: World, caller: str) -> Iterable[Cause]:
    """Why the caller has none, where its namespace or its pods say something about it."""
    namespace, _, name = caller.partition("/")
    workload = world.find_workload(namespace, name)
    side = sidecar_of(world, workload) if workload is not None else None
    if workload is None or side is None or side.present is not False or side.ambient or side.why.startswith("nothing asks"):
        return
    about = world.namespace(namespace).meta if side.why.startswith(f"namespace {namespace} has") else workload.meta
    meta = about or workload.meta
    yield Cause(f"{caller} has no sidecar: {side.why}", meta.ref, meta, ("metadata", "labels") if meta is about else ())


def _name(ref: ObjectRef) -> str:
    return f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name


def _near_misses(world: World, station: Station, metas: dict[ObjectRef, Meta]) -> Iterable[Cause]:
    """Of a default deny: the rules that nearly matched, by the number of failing fields."""
    server = server_of(world, station)
    for rule in sorted(station.reasons, key=failures):
        missed = list(failing(rule))
        parts = []
        for leaf in missed:
            hint = traps.trap(world, leaf, server)
            wants = ", ".join(leaf.wanted)
            if leaf.actual is None and ": " in leaf.text:  # a condition that cannot be checked here: the text says it all
                parts.append(f"{dotted(leaf.field)} {leaf.text.partition(': ')[2]}")
                continue
            parts.append(f"{dotted(leaf.field)} {_lack(leaf, wants)}" + (f" — {hint}" if hint else ""))
        if rule.object is None:
            continue
        field = missed[0].field if len(missed) == 1 else rule.field
        yield Cause(f"{_name(rule.object)} {'; '.join(parts) or 'does not match'}", rule.object, metas.get(rule.object), field)


def _lack(leaf: Reason, wants: str) -> str:
    if leaf.holds is None:
        return f"is {wants}; the call's value is not known ({leaf.actual})"
    if leaf.text.startswith("not") or leaf.text.endswith("notValues"):
        return f"excludes {wants}; the call has {leaf.actual}"
    return f"is {wants}; the call has {leaf.actual}"


def failing(reason: Reason) -> Iterable[Reason]:
    """The failing fields of a rule; of alternatives those of the nearest one."""
    if reason.holds:
        return
    if not reason.parts:
        yield reason
    elif reason.text in ("from", "to"):
        yield from failing(min(reason.parts, key=failures))
    else:
        for part in reason.parts:
            yield from failing(part)


def _matched(station: Station, metas: dict[ObjectRef, Meta]) -> Cause:
    rule = station.reasons[0]
    fields = [f"{leaf.text} {', '.join(leaf.wanted)}" for leaf in leaves(rule)]
    what = "; ".join(fields) or "every call"
    what += "".join(f" ({text})" for text in unread(rule))
    ref = rule.object
    message = f"{_name(ref) if ref else 'a policy'} rule {rule.field[-1] if rule.field else 0} matches {what}"
    return Cause(message, ref, metas.get(ref) if ref else None, rule.field)


def unread(reason: Reason) -> Iterable[str]:
    """Conditions of a rule that vanish where it is applied."""
    if not reason.parts:
        if reason.holds and ": cannot be checked" in reason.text:
            yield reason.text
        return
    for part in reason.parts:
        yield from unread(part)


def leaves(reason: Reason) -> Iterable[Reason]:
    """All fields of a rule that hold."""
    if not reason.parts:
        if reason.holds and reason.wanted:
            yield reason
        return
    for part in reason.parts:
        yield from leaves(part)


def _network(station: Station, metas: dict[ObjectRef, Meta]) -> Iterable[Cause]:
    if not station.reasons:
        decider = station.decider
        yield Cause(
            station.summary, decider.meta.ref if decider else None, decider.meta if decider else None, decider.field if decider else ()
        )
    for reason in station.reasons:
        yield Cause(_network_words(reason), reason.object, metas.get(reason.object) if reason.object else None, reason.field)


def _network_words(reason: Reason) -> str:
    name = f"{_name(reason.object)}: " if reason.object else ""
    missed = [
        f"{dotted(leaf.field) or leaf.text} wants {', '.join(leaf.wanted)}, the call has {leaf.actual}"
        for leaf in failing(reason)
        if leaf.wanted
    ]
    return f"{name}{reason.text}" + (f" ({'; '.join(missed[:3])})" if missed else "")
