"""The end of a call as a trace, and one answer made of several."""

from __future__ import annotations

from collections.abc import Sequence

from meshcheck.model.trace import DENIED, UNKNOWN, Hop, Missing, Reached, Station, Symptom, Trace
from meshcheck.semantics.ambient.capture import HBONE_PORT
from meshcheck.semantics.outbound.sending import Sending
from meshcheck.semantics.tracing import plugins, symptoms
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.target import Backend


def unknown(call: Call, facts: list[str]) -> Trace:
    """A call of which too little is known to follow it."""
    return ended(call, [], UNKNOWN, symptoms.REACHED, None, facts)


def seen(symptom: Symptom | None, sending: Sending) -> Symptom:
    """What the caller sees: an HTTP proxy in front turns failures on the wire into a 503."""
    found = symptom or symptoms.RESET
    return symptoms.through_proxy(found, sending.proxy) if sending.http_proxy else found


def ended(
    call: Call,
    stations: Sequence[Station],
    verdict: str,
    symptom: Symptom,
    backend: Backend | None = None,
    missing: Sequence[str] = (),
    place: str | None = None,
) -> Trace:
    """The trace of a call that ends here; a station that could not be decided makes it unknown. `place` is where it ends."""
    question = call.asked or call.question
    facts = [Missing(fact, "the call") for fact in missing]
    if verdict != DENIED:
        facts += [Missing(s.missing or "a fact", s.name) for hop in call.before for s in hop.stations if s.verdict == UNKNOWN]
        facts += [Missing(s.missing or "a fact", s.name) for s in stations if s.verdict == UNKNOWN]
        if facts:
            verdict = UNKNOWN
    notes: tuple[str, ...] = ()
    if verdict == DENIED:
        open_before = [s for hop in call.before for s in hop.stations if s.verdict == UNKNOWN]
        open_before += [s for s in stations if s.verdict == UNKNOWN]
        notes = tuple(f"{s.enforcer} {s.workload or ''} may refuse it before that, depending on {s.missing}" for s in open_before)
        notes += logged(call, stations)
    notes = (*notes, *plugins.notes(call.world, stations))
    reached = None
    if backend is not None and verdict != DENIED:
        workload, service = backend.workload, backend.service
        namespace = workload.namespace if workload else service.namespace if service else None
        reached = Reached(namespace, workload.name if workload else None, service.name if service else None, backend.port)
    hop = Hop(call.who.name, place or (str(backend.workload) if backend and backend.workload else call.what.name), tuple(stations))
    return Trace(
        question,
        verdict,
        symptoms.to_grpc(symptom) if question.is_grpc else symptom,
        reached,
        (*call.before, hop),
        tuple(dict.fromkeys(facts)),
        notes,
    )


def logged(call: Call, stations: Sequence[Station]) -> tuple[str, ...]:
    """What ztunnel logs of the refusal that ends the call: between ztunnels it is all that can be seen of the reason."""
    last = stations[-1] if stations else None
    if last is not None and last.wire == ("TCP", HBONE_PORT) and call.who.sidecar.ambient:
        line = f"connection timed out, maybe a NetworkPolicy is blocking HBONE port {HBONE_PORT}"
        return (f"ztunnel on the node of {call.who.name} gives up after 10 s and logs: {line}",)
    if last is None or last.enforcer != "ztunnel":
        return ()
    from meshcheck.semantics.ambient.server import log_line

    said = log_line(last)
    return (f"ztunnel on the node of {last.workload} logs: {said}",) if said else ()


def merge(traces: list[Trace], fact: str, *, decisive: bool = False) -> Trace:
    """One answer for several ways the call may take: sure only where all agree.

    `fact` decides which of them it takes; where it is `decisive`, it is missing also where more is missing on one of them.
    """
    if len(traces) == 1 or all(t.verdict == traces[0].verdict and _same(t.symptom, traces[0].symptom) for t in traces):
        return traces[0]
    if all(t.verdict == DENIED for t in traces):
        return traces[0]
    shown = next((t for t in traces if t.verdict == DENIED), traces[0])
    facts = tuple(dict.fromkeys(m for t in traces if t.verdict == UNKNOWN for m in t.missing))
    if decisive or not facts:
        facts = (Missing(fact, "the call"), *facts)
    return Trace(shown.question, UNKNOWN, shown.symptom, None, shown.hops, facts, (*shown.notes, _either(traces)))


def _same(a: Symptom, b: Symptom) -> bool:
    return (a.kind, a.status) == (b.kind, b.status)


def _either(traces: list[Trace]) -> str:
    words = dict.fromkeys(f"{t.verdict} ({t.symptom.status or t.symptom.kind})" if t.verdict == DENIED else t.verdict for t in traces)
    return "depending on that: " + ", or ".join(words)
