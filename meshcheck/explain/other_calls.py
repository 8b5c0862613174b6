"""Calls like a refused one that get through as things are: another port, another scheme, the Service in place of a pod's address.

Only where the connection fails, or a call to a pod's address carries no identity. Where a policy refuses, another port or another scheme is
a way around it, and no advice.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.explain.servers import server_of
from meshcheck.model.core import Service
from meshcheck.model.question import Question, Target
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, Cause, Trace
from meshcheck.semantics.addresses import parse_address
from meshcheck.semantics.port_protocol import HTTP, protocol_of
from meshcheck.semantics.tracing.trace import trace as trace_again
from meshcheck.semantics.world import World
from meshcheck.semantics.world.hosts import look_up
from meshcheck.semantics.world.names import nearest_service

_OF_THE_CONNECTION = frozenset(["dns", "service", "listener", "client-sidecar", "client-tls", "tls", "mtls", "http"])
_USUAL = {"http": 80, "https": 443}
MOST_TRIED = 6


def other_call(world: World, trace: Trace) -> Cause | None:
    """The first call like this one that gets through, as a cause: what is wrong is how the caller asks."""
    found = trace.decided_at
    if found is None or trace.question.protocol not in _USUAL or trace.question.target.via:
        return None
    if found[1].name not in _OF_THE_CONNECTION and not (found[1].name == "authorization" and _without_identity(trace)):
        return None
    for number, asked in enumerate(_others(world, trace)):
        if number == MOST_TRIED:
            break
        again = trace_again(world, asked, explain=False)
        if again.verdict == ALLOWED and again.reached is not None and not (again.decided_at and again.decided_at[1].answers):
            return Cause(f"the way the caller asks: {asked.method} {_url(asked)} gets through as things are (checked)")
    return None


def _others(world: World, trace: Trace) -> Iterator[Question]:
    question = trace.question
    if question.caller.external:
        other = "https" if question.protocol == "http" else "http"
        if question.target.host and question.target.port in (None, *_USUAL.values()):
            yield replace(question, protocol=other, target=replace(question.target, port=None))
        return
    if trace.decided_at and trace.decided_at[1].name == "dns" and question.target.host:
        near = nearest_service(world, question.target.host, question.caller.namespace)
        if near is not None:
            yield replace(question, target=replace(question.target, host=near))
        return
    for service in _services(world, trace):
        host = question.target.host if question.target.host and _names(world, question, service) else f"{service.name}.{service.namespace}"
        for port in sorted(service.ports, key=lambda port: port.number != question.target.port):
            if port.protocol != "TCP":
                continue
            for protocol in ("http", "https") if protocol_of(port) == HTTP else ("https", "http"):
                asked = replace(question, protocol=protocol, target=Target(host=host, port=port.number))
                if asked.protocol != question.protocol or asked.target != question.target:
                    yield asked


def _services(world: World, trace: Trace) -> tuple[Service, ...]:
    """The Service that is called; those in front of the pod, where a pod is called."""
    target = trace.question.target
    if target.service and target.namespace:
        named = world.service(target.namespace, target.service)
    else:
        named = look_up(world, target.host, trace.question.caller.namespace).service if target.host else None
    if named is not None:
        return (named,)
    found = trace.decided_at
    server = server_of(world, found[1]) if found else None
    return world.services_of(server) if server is not None else ()


def _without_identity(trace: Trace) -> bool:
    """Whether a workload of the cluster calls a pod's address, which no sidecar takes for a call inside the mesh."""
    caller, target = trace.question.caller, trace.question.target
    address = target.workload or target.pod or target.ip or (target.host and parse_address(target.host))
    return bool(address) and bool(caller.namespace) and not caller.plaintext and not any(s.identity for s in trace.hops[-1].stations)


def _names(world: World, question: Question, service: Service) -> bool:
    return look_up(world, question.target.host or "", question.caller.namespace).service is service


def _url(question: Question) -> str:
    port = question.target.port
    where = "" if port in (None, _USUAL[question.protocol]) else f":{port}"
    return f"{question.protocol}://{question.target.host}{where}{question.path}"
