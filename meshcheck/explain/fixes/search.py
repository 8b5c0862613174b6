"""Candidates are tried, combined where several stations refuse one after the other, and ranked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from meshcheck.explain.fixes.by_station import candidates_for
from meshcheck.explain.fixes.case import Candidate, Values, case_of
from meshcheck.explain.fixes.variant import Variant, variant
from meshcheck.model.json_patch import Step
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Fix, Opened, Trace
from meshcheck.semantics.tracing.trace import trace as trace_again
from meshcheck.semantics.world import World

MOST = 3
MOST_TRIED = 40
"""Candidates of one station."""
MOST_STATIONS = 4
"""Refusals one after the other that are looked through."""
_OF_THE_CONNECTION = frozenset(["load-balancer", "dns", "network-policy", "service", "listener", "tls", "mtls"])
"""Stations that see a connection, and no request."""
WAYS_ON = 2
"""Candidates of one station from which the next refusal is looked at."""


class _Tried(NamedTuple):
    """A candidate, the World with it, and what becomes of the call there."""

    candidate: Candidate
    variant: Variant
    trace: Trace


def fixes_of(world: World, trace: Trace, values: Values, *, opens: bool = True) -> tuple[Fix, ...]:
    """Fixes of a denied call, best first; each was evaluated again, and the call then gets through.

    Where what then happens lies outside the input (an external authorizer, a host on the internet), a fix is offered that is not
    `verified`, and says what it hangs on. Without `opens`, for many questions at once, it is not looked at what else a fix opens.
    """
    if trace.verdict != DENIED:
        return ()
    found = _search(world, trace, values, MOST_STATIONS)
    sure = [tried for tried in found if tried.trace.verdict == ALLOWED]
    best = sorted(sure or found, key=lambda tried: (tried.candidate.wide, tried.candidate.size))
    return tuple(_fix(world, trace, tried, opens) for tried in _different(best)[:MOST])


def _search(world: World, trace: Trace, values: Values, depth: int) -> list[_Tried]:
    """All candidates that end the refusal; where none does, those that lead past it, with what helps behind it."""
    case = case_of(world, trace, values)
    if case is None:
        return []
    through: list[_Tried] = []
    past: list[_Tried] = []
    for candidate in islice(_once(candidates_for(case)), MOST_TRIED):
        made = variant(world, candidate, values)
        if made is None:
            continue
        again = trace_again(made.world, trace.question, explain=False)
        tried = _Tried(candidate, made, again)
        if again.verdict == ALLOWED or (again.verdict == UNKNOWN and _ends_outside(again)):
            through.append(tried)
        elif again.verdict == DENIED and _leads_on(trace, again):
            past.append(tried)
    if any(tried.trace.verdict == ALLOWED and tried.candidate.wide < 2 for tried in through) or depth <= 1:
        return through
    past.sort(key=lambda tried: (tried.candidate.wide, tried.candidate.size))
    for first in past[: WAYS_ON if depth == MOST_STATIONS else 1]:
        explained = trace_again(first.variant.world, trace.question, explain=True)
        for then in _search(first.variant.world, explained, first.variant.values, depth - 1):
            through.append(_Tried(_both(first.candidate, then.candidate), then.variant, then.trace))
    return through


def _once(candidates: Iterator[Candidate]) -> Iterator[Candidate]:
    """Each change once."""
    seen: set[str] = set()
    for candidate in candidates:
        key = repr([(meta.ref, steps) for meta, steps in candidate.patches])
        if key not in seen:
            seen.add(key)
            yield candidate


def _leads_on(before: Trace, after: Trace) -> bool:
    """Whether the call gets further, or is refused by another at the same point."""
    old, new = _position(before), _position(after)
    return new > old or (new == old and _refusal(before) != _refusal(after))


def _refusal(trace: Trace) -> tuple[object, ...]:
    found = trace.decided_at
    if found is None:
        return ()
    station = found[1]
    decider = station.decider.meta.ref if station.decider is not None else None
    identity = any(s.identity for s in trace.hops[found[0] - 1].stations)
    return station.name, station.workload, decider, station.policy_id, identity


def _position(trace: Trace) -> tuple[int, int]:
    """Where a call ends: hop and station, behind those that only appear because something was changed before them."""
    found = trace.decided_at
    if found is None:
        return (len(trace.hops) + 1, 0)
    hop = trace.hops[found[0] - 1]
    order = next((n for n, names in enumerate(_ORDER) if found[1].name in names), len(_ORDER))
    return (found[0] + (100 if trace.hops[0].phase == "preflight" and not hop.phase else 0), order)


_ORDER = (
    *(("load-balancer",), ("dns",), ("service",), ("listener",), ("tls",), ("access",), ("client-sidecar",), ("client-tls",)),
    *(
        ("network-policy",),
        ("mtls",),
        ("http",),
        ("custom",),
        ("request-authentication", "authorization"),
        ("cors",),
        ("route",),
        ("fault",),
    ),
)
"""Stations in the order in which a call meets them."""


def _ends_outside(trace: Trace) -> bool:
    """Whether nothing in the input refuses the call any more, and what is missing lies outside of it."""
    return bool(trace.missing) and all(
        m.fact.startswith("what ") and ("outside" in m.fact or "authorizer" in m.fact) for m in trace.missing
    )


def _both(first: Candidate, then: Candidate) -> Candidate:
    """Two candidates as one: steps for one object are put together."""
    patches: dict[ObjectRef, tuple[Meta, tuple[Step, ...]]] = {}
    for meta, steps in (*first.patches, *then.patches):
        before = patches[meta.ref][1] if meta.ref in patches else ()
        patches[meta.ref] = (patches[meta.ref][0] if meta.ref in patches else meta, (*before, *steps))
    words = f"{first.description}; and {then.description}"
    return Candidate(words, tuple(patches.values()), max(first.wide, then.wide), first.beside or then.beside)


def _different(found: list[_Tried]) -> list[_Tried]:
    """Of fixes with the same words the first."""
    by_words: Mapping[str, _Tried] = {tried.candidate.description: tried for tried in reversed(found)}
    return [tried for tried in found if by_words[tried.candidate.description] is tried]


def _fix(world: World, trace: Trace, tried: _Tried, opens: bool) -> Fix:
    candidate = tried.candidate
    verified = tried.trace.verdict == ALLOWED
    words = candidate.description
    if not verified:
        words += f" (then it hangs on {tried.trace.missing[0].fact})"
    beside = candidate.beside.origin if candidate.beside is not None else None
    origins = tuple(beside if steps[0]["path"] == "" else meta.origin for meta, steps in candidate.patches)
    more: tuple[Opened, ...] | None = None
    if opens:
        from meshcheck.explain.fixes.opens import opened

        found = trace.decided_at
        more = opened(world, tried.variant.world, trace.question, found is not None and found[1].name in _OF_THE_CONNECTION)
    return Fix(
        words,
        tuple((meta.ref, steps) for meta, steps in candidate.patches),
        safe=verified and candidate.wide == 0 and not more,
        verified=verified,
        also_opens=more,
        origins=origins,
    )
