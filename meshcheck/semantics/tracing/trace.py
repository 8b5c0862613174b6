"""A call, station by station: the verdict, and everything that led to it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import product

from meshcheck.model.question import Question
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Hop, Missing, Reached, Station, Symptom, Trace
from meshcheck.semantics.outbound import client
from meshcheck.semantics.outbound.arrival import arrival, without_server_sidecar
from meshcheck.semantics.outbound.client import Sending
from meshcheck.semantics.outbound.scope import scope_of
from meshcheck.semantics.tracing import application, caller, network, server, symptoms, target
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.target import Backend, TargetView
from meshcheck.semantics.world.sidecars import Sidecar, sidecar_of
from meshcheck.semantics.world.world import World


def trace(world: World, question: Question, *, explain: bool = True, now: float | None = None) -> Trace:
    """Trace one call. Without `explain` reasons are left out, which makes it several times faster.

    `now` (seconds since 1970) is the time for `exp` and `nbf` of tokens.
    """
    clock = time.time() if now is None else now
    callers = caller.views(world, question.caller)
    return _merge(
        [_from(world, question, who, explain, clock) for who in callers], "which of the workloads with that service account calls"
    )


def _from(world: World, question: Question, who: CallerView, explain: bool, now: float) -> Trace:
    """The call of one caller."""
    what = target.view(world, question, who.namespace)
    if question.network_policy_only:
        return _network_only(world, question, who, what, explain)
    if question.target.via is not None:
        return _unknown(question, who, what, ["what the gateway or ingress controller does with the call: it is not traced yet"])
    if who.missing or what.missing:
        return _unknown(question, who, what, [m for m in (who.missing, what.missing) if m])
    unsure = _unsure(world, who, what)
    if not unsure:
        return _send(world, question, who, what, explain, now)
    traces = []
    for choice in product((True, False), repeat=len(unsure)):
        variant = world.assuming(dict(zip(unsure, choice)))
        same = who if who.workload is None or question.caller.service_account else caller.view(variant, question.caller)
        traces.append(_send(variant, question, same, target.view(variant, question, who.namespace), explain, now))
    return _merge(traces, "; ".join(unsure.values()))


def _unsure(world: World, who: CallerView, what: TargetView) -> dict[str, str]:
    """Namespaces of which it is not known whether their pods have sidecars, and the missing fact."""
    sides = [who.sidecar] if not (who.caller.plaintext or who.caller.mtls) and who.workload is not None else []
    names = [who.workload.namespace] if sides and who.workload is not None else []
    for backend in what.backends:
        if backend.workload is not None:
            sides.append(sidecar_of(world, backend.workload))
            names.append(backend.workload.namespace)
    return {name: side.why for name, side in zip(names, sides) if side.present is None}


def _send(world: World, question: Question, who: CallerView, what: TargetView, explain: bool, now: float) -> Trace:
    """The caller's side, then each place where the call may end."""
    if who.sidecar.ambient:
        return _unknown(question, who, what, [AMBIENT.format(who.sidecar.why)])
    with_sidecar = who.sidecar.present is True and not (who.caller.plaintext or who.caller.mtls)
    stations: list[Station] = []
    dns = network.name_resolution(world, question, who, what, explain)
    if dns is not None:
        stations.append(dns)
        if dns.verdict == DENIED:
            return _ended(question, who, what, stations, DENIED, dns.symptom or symptoms.DNS_FAILURE, None, [])
    sendings = client.send(world, question, who, what, with_sidecar)
    return _merge(
        [_follow(world, question, who, what, [*stations], sending, explain, now) for sending in sendings],
        "which of the routes or pods answers",
    )


def _follow(
    world: World,
    question: Question,
    who: CallerView,
    what: TargetView,
    stations: list[Station],
    sending: Sending,
    explain: bool,
    now: float,
) -> Trace:
    """One way that the call may take from the caller to a workload."""
    stations += sending.stations
    last = stations[-1] if stations else None
    if last is not None and (last.verdict == DENIED or last.answers):
        return _ended(
            question, who, what, stations, DENIED if last.verdict == DENIED else ALLOWED, last.symptom or symptoms.REACHED, None, []
        )
    backend = sending.backend
    if backend is None:
        return _ended(question, who, what, stations, UNKNOWN, symptoms.REACHED, None, [sending.missing or "what the call reaches"])
    wire = network.policies(world, question, who, backend, explain)
    stations += wire
    refusing = next((station for station in wire if station.verdict == DENIED), None)
    if refusing is not None:
        return _ended(question, who, what, stations, DENIED, _seen(refusing.symptom, sending), backend, [])
    if backend.workload is None:
        return _outside(question, who, what, stations, sending, backend)
    side = sidecar_of(world, backend.workload)
    gaps = _gaps(world, question, who, backend, side)
    if gaps:
        return _ended(question, who, what, stations, UNKNOWN, symptoms.REACHED, backend, gaps)
    choices = (True, False) if side.present is None else (side.present,)
    return _merge(
        [_arrive(world, question, who, what, [*stations], sending, backend, choice, explain, now) for choice in choices], side.why
    )


AMBIENT = "what ztunnel and waypoints decide: {}, which is not traced yet"


def _gaps(world: World, question: Question, who: CallerView, backend: Backend, side: Sidecar) -> list[str]:
    """Facts about the way to a workload that nobody knows here, so that no answer rests on a guess."""
    if side.ambient:
        return [AMBIENT.format(side.why)]
    if who.caller.external and backend.service is not None:
        service = backend.service
        return [f"how a call from outside enters: Service {service.namespace}/{service.name} is of type {service.kind}"]
    assert backend.workload is not None
    scope = scope_of(world, backend.workload) if side.present else None
    if scope is not None and scope.sidecar is not None and scope.sidecar.ingress:
        meta = scope.sidecar.meta
        return [f"what the ingress listeners of Sidecar {meta.namespace}/{meta.name} make of the port: they are not traced yet"]
    return []


def _arrive(
    world: World,
    question: Question,
    who: CallerView,
    what: TargetView,
    stations: list[Station],
    sending: Sending,
    backend: Backend,
    sidecar: bool,
    explain: bool,
    now: float,
) -> Trace:
    """The called workload, with or without a sidecar."""
    workload = backend.workload
    assert workload is not None
    if not sidecar or question.transport != "TCP" or server.bypasses_sidecar(workload, backend.port):
        station = without_server_sidecar(sending, workload, sidecar)
        stations.append(station)
    else:
        arriving = arrival(world, question, who, sending, backend, now)
        stations += server.serve(world, workload, backend.port, arriving, explain)
    if stations[-1].verdict != DENIED:
        stations += application.stations(world, question, who, sending, backend, sidecar)
    refusing = stations[-1] if stations and stations[-1].verdict == DENIED else None
    if refusing is not None:
        return _ended(question, who, what, stations, DENIED, _seen(refusing.symptom, sending), backend, [])
    return _ended(question, who, what, stations, ALLOWED, symptoms.REACHED, backend, [])


def _outside(question: Question, who: CallerView, what: TargetView, stations: list[Station], sending: Sending, backend: Backend) -> Trace:
    """A call that leaves the cluster: nothing more is known of it."""
    fact = f"what `{what.host}` answers: it is outside the input"
    return _ended(question, who, what, stations, UNKNOWN, symptoms.REACHED, backend, [fact])


def _unknown(question: Question, who: CallerView, what: TargetView, facts: list[str]) -> Trace:
    """A call of which too little is known to follow it."""
    return _ended(question, who, what, [], UNKNOWN, symptoms.REACHED, None, facts)


def _seen(symptom: Symptom | None, sending: Sending) -> Symptom:
    """What the caller sees: an HTTP proxy in front turns failures on the wire into a 503."""
    found = symptom or symptoms.RESET
    return symptoms.through_client_proxy(found) if sending.http_proxy else found


def _browser(question: Question) -> list[str]:
    """What is not known of a call that a browser makes."""
    return ["what the browser makes of the response's CORS headers: that is not traced yet"] if question.origin else []


def _ended(
    question: Question,
    who: CallerView,
    what: TargetView,
    stations: Sequence[Station],
    verdict: str,
    symptom: Symptom,
    backend: Backend | None,
    missing: list[str],
) -> Trace:
    facts = [Missing(fact, "the call") for fact in (*missing, *_browser(question))]
    if verdict != DENIED:
        facts += [Missing(s.missing or "a fact", s.name) for s in stations if s.verdict == UNKNOWN]
        if facts:
            verdict = UNKNOWN
    reached = None
    if backend is not None and verdict != DENIED:
        workload, service = backend.workload, backend.service
        namespace = workload.namespace if workload else service.namespace if service else None
        reached = Reached(namespace, workload.name if workload else None, service.name if service else None, backend.port)
    hop = Hop(who.name, str(backend.workload) if backend and backend.workload else what.name, tuple(stations))
    return Trace(question, verdict, symptoms.to_grpc(symptom) if question.is_grpc else symptom, reached, (hop,), tuple(facts))


def _merge(traces: list[Trace], fact: str) -> Trace:
    """One answer for several ways the call may take: sure only where all agree."""
    if len(traces) == 1 or all(t.verdict == traces[0].verdict and _same(t.symptom, traces[0].symptom) for t in traces):
        return traces[0]
    if all(t.verdict == DENIED for t in traces):
        return traces[0]
    shown = next((t for t in traces if t.verdict == DENIED), traces[0])
    facts = tuple(dict.fromkeys(m for t in traces if t.verdict == UNKNOWN for m in t.missing)) or (Missing(fact, "the call"),)
    return Trace(shown.question, UNKNOWN, shown.symptom, None, shown.hops, facts, (*shown.notes, _either(traces)))


def _same(a: Symptom, b: Symptom) -> bool:
    return (a.kind, a.status) == (b.kind, b.status)


def _either(traces: list[Trace]) -> str:
    words = dict.fromkeys(f"{t.verdict} ({t.symptom.status or t.symptom.kind})" if t.verdict == DENIED else t.verdict for t in traces)
    return "depending on that: " + ", or ".join(words)


def _network_only(world: World, question: Question, who: CallerView, what: TargetView, explain: bool) -> Trace:
    """The question about network policies alone."""
    missing = who.missing or what.missing
    if missing or not what.backends:
        return _ended(question, who, what, [], UNKNOWN, symptoms.REACHED, None, [missing or what.refused or "what is called"])
    results = []
    for backend in what.backends:
        stations = network.policies(world, question, who, backend, explain)
        denied = any(s.verdict == DENIED for s in stations)
        results.append(
            _ended(
                question, who, what, stations, DENIED if denied else ALLOWED, symptoms.TIMEOUT if denied else symptoms.REACHED, backend, []
            )
        )
    return _merge(results, "which of the pods answers")
