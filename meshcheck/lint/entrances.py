"""The ways into the mesh, and what becomes of calls without credentials that take them; each is asked about once."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.model.core import Workload
from meshcheck.model.trace import ALLOWED, DENIED, Station, Trace
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.entry.ways import Way, ways_in


def ways(evidence: Evidence) -> tuple[Way, ...]:
    """All ways from outside."""
    return evidence.once("ways in", lambda: tuple(ways_in(evidence.world)))


def entrances(evidence: Evidence) -> tuple[tuple[Way, Trace], ...]:
    """Each way with the answer to a call that takes it without any credentials; ways for which no such call was made up are left out."""
    return evidence.once("entrances", lambda: tuple((w, evidence.trace(w.question)) for w in ways(evidence) if w.question is not None))


def gateway_lets_in(evidence: Evidence, gateway: Workload) -> bool:
    """Whether a call without credentials gets through a gateway's pods to a workload on one of their routes."""
    names = {str(gateway)}
    names |= {f"Gateway {g.meta.namespace}/{g.meta.name}" for g in evidence.of("IstioGateway") if selects(g.selector, gateway.pod_labels)}
    return any(way.entry in names and answer.verdict == ALLOWED for way, answer in entrances(evidence))


def stopped_behind(evidence: Evidence, station_name: str) -> Iterator[tuple[Way, str, Station]]:
    """(way, the gateway or controller, the station) of ways whose call is let in and then stopped at a station of a name.

    Of the ways of one object through one gateway to one workload only the first. Services that are called without a gateway are left out.
    """
    seen = set()
    for way, answer in entrances(evidence):
        decided = answer.decided_at
        if answer.verdict != DENIED or decided is None or decided[0] < 2 or decided[1].name != station_name:
            continue
        source, station = answer.hops[decided[0] - 1].source, decided[1]
        key = way.owner.ref, source, station.workload, station.decider
        if key not in seen:
            seen.add(key)
            yield way, source, station
