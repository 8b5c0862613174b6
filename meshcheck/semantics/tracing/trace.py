"""A call, station by station: the verdict, and everything that led to it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING

from meshcheck.model.istio_networking import OUTBOUND
from meshcheck.model.question import Question
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Hop, Station, Trace
from meshcheck.semantics import watching
from meshcheck.semantics.ambient.capture import HBONE_PORT, receives_through
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.ingress.controller import is_ingress_nginx
from meshcheck.semantics.outbound import client
from meshcheck.semantics.outbound.arrival import arrival, without_server_sidecar
from meshcheck.semantics.outbound.scope import scope_of
from meshcheck.semantics.outbound.sending import Sending
from meshcheck.semantics.tracing import application, caller, network, plugins, server, symptoms, target
from meshcheck.semantics.tracing.call import Arrived, Call
from meshcheck.semantics.tracing.outcome import ended, merge, seen, unknown
from meshcheck.semantics.tracing.target import Backend
from meshcheck.semantics.world.revisions import view_of
from meshcheck.semantics.world.sidecars import Sidecar, sidecar_of
from meshcheck.semantics.world.world import World

if TYPE_CHECKING:
    from meshcheck.semantics.entry import Entry
    from meshcheck.semantics.entry.passed import Passed


def trace(
    world: World, question: Question, *, explain: bool = True, now: float | None = None, arrivals: list[Arrived] | None = None
) -> Trace:
    """Trace one call. Without `explain` reasons are left out, which makes it several times faster.

    `now` (seconds since 1970) is the time for `exp` and `nbf` of tokens. `arrivals` takes down the sidecars that the call gets to.
    """
    clock = time.time() if now is None else now
    found = _covered(world, question, explain, clock, arrivals)
    if not world.inventory.refused:
        return found
    from meshcheck.semantics.tracing import undecoded  # few inputs have such objects

    return undecoded.weighed(world, found) if undecoded.undecoded(world) else found


def _covered(world: World, question: Question, explain: bool, clock: float, arrivals: list[Arrived] | None) -> Trace:
    """A trace in the light of what could not be read."""
    if world.reads is None or world.coverage is None:
        return _trace(world, question, explain, clock, arrivals)
    from meshcheck.semantics.tracing import gaps

    with world.reads.frame() as looked:
        found = _trace(world, question, explain, clock, arrivals)
    world.reads.add(looked)  # whoever asks rests on it
    return gaps.weighed(found, looked, world.coverage, world.mesh.root_namespace)


def _trace(world: World, question: Question, explain: bool, clock: float, arrivals: list[Arrived] | None) -> Trace:
    found = _followed(world, question, explain, clock, arrivals)
    if not world.revisions.divided:
        return found
    from meshcheck.semantics.tracing.revisions import settled

    def all_alike(traces: list[Trace], fact: str) -> Trace:
        return merge(traces, fact, decisive=True)

    return settled(world, found, lambda variant: _trace(variant, question, explain, clock, None), all_alike)


def _followed(world: World, question: Question, explain: bool, clock: float, arrivals: list[Arrived] | None) -> Trace:
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
    return _onward(call, passed, door.name)


def _onward(call: Call, passed: Passed, place: str) -> Trace:
    """The call behind a proxy of its own on the way: refused or answered there, or sent on."""
    if passed.verdict is not None:
        return ended(call, passed.stations, passed.verdict, passed.symptom or symptoms.REACHED, None, list(passed.missing), place)
    hop = Hop(call.who.name, place, passed.stations)
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
    own = view_of(call.world, who.workload)
    if with_sidecar and who.workload is not None:
        stations += server.extensions(own, who.workload, OUTBOUND, None, call.question.is_http)
    sendings = client.send(own, call.question, who, call.what, with_sidecar)
    return merge([follow(call, [*stations], sending) for sending in sendings], "which of the routes or pods answers")


def follow(call: Call, stations: list[Station], sending: Sending) -> Trace:
    """One way that the call may take from the caller to a workload."""
    world, who = call.world, call.who
    stations += sending.stations
    last = stations[-1] if stations else None
    if last is not None and (last.verdict == DENIED or last.answers):
        return ended(call, stations, DENIED if last.verdict == DENIED else ALLOWED, last.symptom or symptoms.REACHED)
    if sending.waypoint is not None:
        return _through_waypoint(call, stations, sending)
    backend = sending.backend
    if backend is None:
        return ended(call, stations, UNKNOWN, symptoms.REACHED, None, [sending.missing or "what the call reaches"])
    port = HBONE_PORT if sending.transport == "hbone" else backend.port
    wire = network.policies(world, call.question, who, backend, call.explain, port, plugins.request_of(call.question, sending))
    stations += wire
    refusing = next((station for station in wire if station.verdict == DENIED), None)
    if refusing is not None:
        return ended(call, stations, DENIED, seen(refusing.symptom, sending), backend)
    if backend.workload is None:
        fact = f"what `{backend.address or call.what.host}` answers: it is outside the input"
        return ended(call, stations, UNKNOWN, symptoms.REACHED, backend, [fact])
    side = sidecar_of(world, backend.workload)
    gaps = _gaps(call, backend, side)
    if gaps:
        return ended(call, stations, UNKNOWN, symptoms.REACHED, backend, gaps)
    choices = (side.likely, not side.likely) if side.present is None else (side.present,)
    return merge([_arrive(call, [*stations], sending, backend, choice) for choice in choices], side.why)


def _through_waypoint(call: Call, stations: list[Station], sending: Sending) -> Trace:
    """The detour by a waypoint, one for each kind of pods that it has."""
    from meshcheck.semantics.ambient import waypoint

    traces = []
    for passed in waypoint.enter(call, sending):
        found = _onward(call, passed._replace(stations=(*stations, *passed.stations)), waypoint.name_of(sending))
        traces.append(replace(found, symptom=seen(found.symptom, sending)) if found.verdict == DENIED else found)
    return merge(traces, "which of the waypoint's pods it is")


def _gaps(call: Call, backend: Backend, side: Sidecar) -> list[str]:
    """Facts about the way to a workload that nobody knows here, so that no answer rests on a guess."""
    if call.who.caller.external and backend.service is not None:
        service = backend.service
        return [f"how a call from outside enters: Service {service.namespace}/{service.name} is of type {service.kind}"]
    assert backend.workload is not None
    if backend.service is not None and is_gateway(backend.workload) and not call.before:
        return [f"what the gateway {backend.workload} makes of the call: a route that leads through a gateway is not followed yet"]
    scope = scope_of(view_of(call.world, backend.workload), backend.workload) if side.present else None
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
        from meshcheck.semantics.tracing import captured

        ways = captured.arrivals(call, sending, backend)
        fact = f"whether the caller is on the node of {workload}: ztunnel does not see calls of the node's own processes"
        return merge([_finished(call, [*stations, *found], sending, backend, sidecar=False) for found in ways], fact)
    if not sidecar or question.transport != "TCP" or server.bypasses_sidecar(workload, backend.port):
        side = sidecar_of(call.world, workload)
        stations.append(without_server_sidecar(sending, workload, None if sidecar else side.why if side.present is False else ""))
    else:
        arriving = arrival(view_of(call.world, call.who.workload), question, call.who, sending, backend, call.now)
        stations += server.serve(call.world, workload, backend.port, arriving, call.explain)
        if call.arrivals is not None:
            call.arrivals.append(Arrived(view_of(call.world, workload), workload, backend.port, arriving))
    return _finished(call, stations, sending, backend, sidecar)


def _finished(call: Call, stations: list[Station], sending: Sending, backend: Backend, sidecar: bool) -> Trace:
    """What the application makes of a call that gets to it, and the end."""
    if stations[-1].verdict != DENIED:
        stations += application.stations(view_of(call.world, backend.workload), call.question, call.who, sending, backend, sidecar)
    refusing = stations[-1] if stations and stations[-1].verdict == DENIED else None
    if refusing is not None:
        return ended(call, stations, DENIED, seen(refusing.symptom, sending), backend)
    return ended(call, stations, ALLOWED, symptoms.REACHED, backend)


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
