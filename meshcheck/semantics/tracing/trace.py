"""A call, station by station: the verdict, and everything that led to it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

from meshcheck.model.core import Workload
from meshcheck.model.istio_networking import OUTBOUND
from meshcheck.model.question import Question
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Hop, Missing, Reached, Station, Symptom, Trace
from meshcheck.semantics import watching
from meshcheck.semantics.ambient.capture import HBONE_PORT, receives_through, same_node
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.ingress.controller import is_ingress_nginx
from meshcheck.semantics.outbound import client
from meshcheck.semantics.outbound.arrival import arrival, without_server_sidecar
from meshcheck.semantics.outbound.scope import scope_of
from meshcheck.semantics.outbound.sending import Sending
from meshcheck.semantics.tracing import application, caller, network, server, symptoms, target
from meshcheck.semantics.tracing.call import Arrived, Call
from meshcheck.semantics.tracing.target import Backend
from meshcheck.semantics.world.sidecars import Sidecar, sidecar_of
from meshcheck.semantics.world.world import World

if TYPE_CHECKING:
    from meshcheck.semantics.entry import Entry


def trace(
    world: World, question: Question, *, explain: bool = True, now: float | None = None, arrivals: list[Arrived] | None = None
) -> Trace:
    """Trace one call. Without `explain` reasons are left out, which makes it several times faster.

    `now` (seconds since 1970) is the time for `exp` and `nbf` of tokens. `arrivals` takes down the sidecars that the call gets to.
    """
    clock = time.time() if now is None else now
    if world.reads is None or world.coverage is None:
        return _trace(world, question, explain, clock, arrivals)
    from meshcheck.semantics.tracing import gaps

    with world.reads.frame() as looked:
        found = _trace(world, question, explain, clock, arrivals)
    return gaps.weighed(found, looked, world.coverage, world.mesh.root_namespace)


def _trace(world: World, question: Question, explain: bool, clock: float, arrivals: list[Arrived] | None) -> Trace:
    if (question.origin is not None and question.is_http) or (question.origin is not None and question.protocol == "https"):
        from meshcheck.semantics.tracing.browser import trace_browser

        return trace_browser(question, lambda asked: _trace(world, asked, explain, clock, arrivals))
    callers = caller.views(world, question.caller)
    calls = (Call(world, question, who, target.view(world, question, who.namespace), explain, clock, arrivals=arrivals) for who in callers)
    return merge([_from(call) for call in calls], "which of the workloads with that service account calls")


def _from(call: Call) -> Trace:
    """The call of one caller."""
    question, who, what = call.question, call.who, call.what
    if question.network_policy_only:
        return _network_only(call)
    if _may_enter(call) and (doors := _entries(call)) is not None:
        return merge([through_entry(call, door) for door in doors], "through which of the gateways that serve the host the call enters")
    nowhere = None if who.missing else network.no_such_name(call.world, question, who, what)
    if nowhere is not None:
        return ended(call, [nowhere], DENIED, symptoms.DNS_FAILURE)
    if who.missing or what.missing:
        return unknown(call, [m for m in (who.missing, what.missing) if m])
    unsure = _unsure(call)
    if not unsure:
        return _send(call)
    traces = []
    for variant in _variants(call, unsure):
        same = who if who.workload is None or question.caller.service_account else caller.view(variant.world, question.caller)
        traces.append(_send(variant._replace(who=same, what=target.view(variant.world, question, who.namespace))))
    return merge(traces, _facts(unsure), decisive=True)


def _facts(unsure: Mapping[str, Sidecar]) -> str:
    return "; ".join(dict.fromkeys(side.why for side in unsure.values()))


def _variants(call: Call, unsure: Mapping[str, Sidecar]) -> list[Call]:
    """The call in each World that may be, the usual one first: pods of each of these sorts with sidecars, or without."""
    choices = product(*((side.likely, not side.likely) for side in unsure.values()))
    return [call._replace(world=call.world.assuming(dict(zip(unsure, choice)))) for choice in choices]


def _may_enter(call: Call) -> bool:
    """Whether the call may go through a gateway: it is named, it comes from outside, or the Service called is a gateway's."""
    caller_in, named = call.question.caller, call.what.named
    if call.question.target.via is not None or caller_in.external or (call.who.workload is None and caller_in.ip):
        return True
    service = named.service if named is not None else None
    if service is None:
        return False
    pods = call.world.pods_of(service)
    return call.world.once(("an entry", service.meta.ref), lambda: any(is_gateway(pod) or is_ingress_nginx(pod) for pod in pods))


def _entries(call: Call) -> list[Entry] | None:
    from meshcheck.semantics.entry import entries  # most calls do not enter: they are answered without it

    return entries(call)


def through_entry(call: Call, door: Entry) -> Trace:
    """A call that enters through a gateway or ingress controller, and what it sends on."""
    if watching.by is not None:
        watching.by.begin()
    passed = door.enter(call)
    unsure = {
        side.shared: side
        for s in passed.sendings
        if s.backend is not None and s.backend.workload is not None and (side := sidecar_of(call.world, s.backend.workload)).present is None
    }
    if unsure:  # how the gateway talks to a workload depends on it, too
        return merge([through_entry(variant, door) for variant in _variants(call, unsure)], _facts(unsure), decisive=True)
    if passed.verdict is not None:
        return ended(call, passed.stations, passed.verdict, passed.symptom or symptoms.REACHED, None, list(passed.missing), door.name)
    hop = Hop(call.who.name, door.name, passed.stations)
    inner = call._replace(question=passed.question, who=passed.who, before=(*call.before, hop), asked=call.asked or call.question)
    return merge([follow(inner, [], sending) for sending in passed.sendings], "which of the routes or pods answers")


def _unsure(call: Call) -> dict[str, Sidecar]:
    """Sorts of pods of which it is not known whether they have sidecars."""
    who = call.who
    sides = [who.sidecar] if not (who.caller.plaintext or who.caller.mtls) and who.workload is not None else []
    sides += [sidecar_of(call.world, backend.workload) for backend in call.what.backends if backend.workload is not None]
    return {side.shared: side for side in sides if side.present is None}


def _send(call: Call) -> Trace:
    """The caller's side, then each place where the call may end."""
    who = call.who
    if watching.by is not None:
        watching.by.begin()
    with_sidecar = who.sidecar.present is True and not (who.caller.plaintext or who.caller.mtls)
    stations: list[Station] = []
    dns = network.name_resolution(call.world, call.question, who, call.what, call.explain)
    if dns is not None:
        stations.append(dns)
        if dns.verdict == DENIED:
            return ended(call, stations, DENIED, dns.symptom or symptoms.DNS_FAILURE)
    if with_sidecar and who.workload is not None:
        stations += server.extensions(call.world, who.workload, OUTBOUND, None, call.question.is_http)
    sendings = client.send(call.world, call.question, who, call.what, with_sidecar)
    return merge([follow(call, [*stations], sending) for sending in sendings], "which of the routes or pods answers")


def follow(call: Call, stations: list[Station], sending: Sending) -> Trace:
    """One way that the call may take from the caller to a workload."""
    world, who = call.world, call.who
    stations += sending.stations
    last = stations[-1] if stations else None
    if last is not None and (last.verdict == DENIED or last.answers):
        return ended(call, stations, DENIED if last.verdict == DENIED else ALLOWED, last.symptom or symptoms.REACHED)
    backend = sending.backend
    if backend is None:
        return ended(call, stations, UNKNOWN, symptoms.REACHED, None, [sending.missing or "what the call reaches"])
    port = HBONE_PORT if sending.transport == "hbone" else backend.port
    wire = network.policies(world, call.question, who, backend, call.explain, port)
    stations += wire
    refusing = next((station for station in wire if station.verdict == DENIED), None)
    if refusing is not None:
        return ended(call, stations, DENIED, _seen(refusing.symptom, sending), backend)
    if backend.workload is None:
        fact = f"what `{backend.address or call.what.host}` answers: it is outside the input"
        return ended(call, stations, UNKNOWN, symptoms.REACHED, backend, [fact])
    side = sidecar_of(world, backend.workload)
    gaps = _gaps(call, backend, side)
    if gaps:
        return ended(call, stations, UNKNOWN, symptoms.REACHED, backend, gaps)
    choices = (side.likely, not side.likely) if side.present is None else (side.present,)
    return merge([_arrive(call, [*stations], sending, backend, choice) for choice in choices], side.why)


def _gaps(call: Call, backend: Backend, side: Sidecar) -> list[str]:
    """Facts about the way to a workload that nobody knows here, so that no answer rests on a guess."""
    if call.who.caller.external and backend.service is not None:
        service = backend.service
        return [f"how a call from outside enters: Service {service.namespace}/{service.name} is of type {service.kind}"]
    assert backend.workload is not None
    if backend.service is not None and is_gateway(backend.workload) and not call.before:
        return [f"what the gateway {backend.workload} makes of the call: a route that leads through a gateway is not followed yet"]
    scope = scope_of(call.world, backend.workload) if side.present else None
    if scope is not None and scope.sidecar is not None and scope.sidecar.ingress:
        meta = scope.sidecar.meta
        return [f"what the ingress listeners of Sidecar {meta.namespace}/{meta.name} make of the port: they are not traced yet"]
    return []


def _arrive(call: Call, stations: list[Station], sending: Sending, backend: Backend, sidecar: bool) -> Trace:
    """The called workload, with or without a sidecar."""
    workload = backend.workload
    assert workload is not None
    question = call.question
    if not sidecar and question.transport == "TCP" and receives_through(call.world, workload):
        return _at_ztunnel(call, stations, sending, backend)
    if not sidecar or question.transport != "TCP" or server.bypasses_sidecar(workload, backend.port):
        side = sidecar_of(call.world, workload)
        stations.append(without_server_sidecar(sending, workload, None if sidecar else side.why if side.present is False else ""))
    else:
        arriving = arrival(call.world, question, call.who, sending, backend, call.now)
        stations += server.serve(call.world, workload, backend.port, arriving, call.explain)
        if call.arrivals is not None:
            call.arrivals.append(Arrived(call.world, workload, backend.port, arriving))
    return _finished(call, stations, sending, backend, sidecar)


def _finished(call: Call, stations: list[Station], sending: Sending, backend: Backend, sidecar: bool) -> Trace:
    """What the application makes of a call that gets to it, and the end."""
    if stations[-1].verdict != DENIED:
        stations += application.stations(call.world, call.question, call.who, sending, backend, sidecar)
    refusing = stations[-1] if stations and stations[-1].verdict == DENIED else None
    if refusing is not None:
        return ended(call, stations, DENIED, _seen(refusing.symptom, sending), backend)
    return ended(call, stations, ALLOWED, symptoms.REACHED, backend)


def _at_ztunnel(call: Call, stations: list[Station], sending: Sending, backend: Backend) -> Trace:
    """The called workload in ambient mode. Processes of its own node get past ztunnel: kubelet does, so that probes work."""
    from meshcheck.semantics.ambient import server as ztunnel

    workload = backend.workload
    assert workload is not None
    traces = []
    passes = _from_its_node(call, workload)
    for local in (True, False) if passes is None else (passes,):
        if local:
            found = [ztunnel.let_through(workload, "a process of the pod's own node")]
        else:
            arriving = arrival(call.world, call.question, call.who, sending, backend, call.now)
            found = ztunnel.serve(call.world, workload, backend.port, arriving, call.explain)
            if sending.originates_tls and found[-1].verdict != DENIED:
                found.append(without_server_sidecar(sending, workload, ""))
        traces.append(_finished(call, [*stations, *found], sending, backend, sidecar=False))
    return merge(traces, f"whether the caller is on the node of {workload}: ztunnel does not see calls of the node's own processes")


def _from_its_node(call: Call, workload: Workload) -> bool | None:
    """Whether a call comes from a process in the network of the node that the called pod runs on; None where that is not known."""
    who = call.who
    if who.workload is not None:
        return same_node(call.world, who.workload.node, workload) if who.workload.host_network and not who.caller.mtls else False
    if not who.caller.node:
        return False
    node = network.node_at(call.world, call.question.source_ip or who.address)
    return same_node(call.world, node.meta.name if node is not None else "", workload)


def unknown(call: Call, facts: list[str]) -> Trace:
    """A call of which too little is known to follow it."""
    return ended(call, [], UNKNOWN, symptoms.REACHED, None, facts)


def _seen(symptom: Symptom | None, sending: Sending) -> Symptom:
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


def _network_only(call: Call) -> Trace:
    """The question about network policies alone."""
    missing = call.who.missing or call.what.missing
    if missing or not call.what.backends:
        return unknown(call, [missing or call.what.refused or "what is called"])
    results = []
    for backend in call.what.backends:
        stations = network.policies(call.world, call.question, call.who, backend, call.explain)
        denied = any(s.verdict == DENIED for s in stations)
        results.append(ended(call, stations, DENIED if denied else ALLOWED, symptoms.TIMEOUT if denied else symptoms.REACHED, backend))
    return merge(results, "which of the pods answers")
