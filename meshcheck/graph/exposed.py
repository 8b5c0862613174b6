"""Every way from outside to a workload, and what guards it."""

from __future__ import annotations

from typing import Any

from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import DENIED, UNKNOWN, Trace
from meshcheck.semantics.entry.ways import Way, ways_in
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World

_GUARDS = (
    "load-balancer",
    "network-policy",
    "tls",
    "custom",
    "request-authentication",
    "authorization",
    "access",
    "application",
    "extensions",
)


class Exposed(NamedTuple):
    """One way in, and what becomes of a call that brings no credentials."""

    way: Way
    verdict: str
    """allowed, denied or unknown, for a call without credentials."""
    said: str
    """The refusal, or the fact that decides."""
    reaches: str
    guards: tuple[tuple[str, str], ...]
    """(where, what) of policies that look at the call, in order."""


def exposed(world: World) -> list[Exposed]:
    """All ways from outside. A way whose path is a regular expression is not asked about: `unknown`."""
    return [_ask(world, way) for way in ways_in(world)]


def _ask(world: World, way: Way) -> Exposed:
    if way.question is None:
        return Exposed(way, UNKNOWN, "no path was made up for its regular expression", "", ())
    found = trace(world, way.question)
    said = ""
    if found.verdict == DENIED:
        said = " ".join(str(part) for part in (found.symptom.status or found.symptom.kind, found.symptom.body or "") if part)
    elif found.verdict == UNKNOWN and found.missing:
        said = found.missing[0].fact
    elif found.symptom.status:
        said = f"answered with {found.symptom.status}"
    return Exposed(way, found.verdict, said, _reaches(found), _guards(found))


def _reaches(found: Trace) -> str:
    if found.reached is not None and found.reached.workload:
        return f"{found.reached.namespace}/{found.reached.workload}:{found.reached.port}"
    return found.hops[-1].target if len(found.hops) > 1 else ""


def _guards(found: Trace) -> tuple[tuple[str, str], ...]:
    out: dict[tuple[str, str], None] = {}
    for hop in found.hops:
        for station in hop.stations:
            if station.name in _GUARDS:
                for mention in station.policies:
                    out[hop.target, f"{mention.meta.ref.kind} {mention.meta.namespace}/{mention.meta.name}"] = None
    return tuple(out)


def exposed_json(rows: list[Exposed]) -> dict[str, Any]:
    """`meshcheck/exposed/v1`."""
    return {
        "schema": "meshcheck/exposed/v1",
        "ways": [
            {
                "entry": row.way.entry,
                "address": row.way.address,
                "path": row.way.path,
                "object": row.way.owner.ref.as_json(),
                "without_credentials": row.verdict,
                "reason": row.said or None,
                "reaches": row.reaches or None,
                "guards": [{"at": where, "policy": what} for where, what in row.guards],
            }
            for row in rows
        ],
    }
