"""Which calls are asked about, and what the trace engine says to them."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.model.question import Caller, Question, Target
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Symptom, Trace
from meshcheck.semantics import port_protocol
from meshcheck.semantics.ambient.attachment import AtWaypoint
from meshcheck.semantics.ambient.capture import receives_through
from meshcheck.semantics.ambient.policies import compiled_for
from meshcheck.semantics.ambient.waypoints import detour_of
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.policies import CompiledPolicies, CompiledRule
from meshcheck.semantics.tracing import plugins
from meshcheck.semantics.tracing.network import isolated
from meshcheck.semantics.tracing.proxies import compiled
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.tracing.trace import trace
from meshcheck.semantics.world import World
from meshcheck.semantics.world.revisions import managed, view_of
from meshcheck.semantics.world.sidecars import sidecar_of

SOME = "some"
"""A call of which some requests are allowed and others are not."""
MOST_PAIRS = 6400
"""Worlds up to this many pairs of workloads are asked about every pair; larger ones about the callers that a policy names."""
ANY = "any workload"
_RARE_METHODS = ("REPORT", "MERGE", "UNLINK", "MKACTIVITY", "REBIND", "UNBIND", "GET")
"""Methods that Envoy reads and that hardly any rule names; the last one where all are named."""
_CALL = frozenset(["source_ip", "remote_ip", "destination_ip", "sni", "method", "path", "authority", "headers", "payload"])


class Call(NamedTuple):
    """One edge: a caller (`any workload`, or NAMESPACE/NAME) and a port of a Service of a workload."""

    source: str
    target: str
    service: str
    port: int
    target_port: int
    protocol: str
    verdict: str
    symptom: str
    requests: tuple[str, ...]
    """Requests that are allowed where not all are: `GET, HEAD /api/*`."""
    policies: tuple[str, ...]
    mtls: bool


def calls(world: World, focus: frozenset[str] = frozenset()) -> Iterator[Call]:
    """All calls that are worth an edge; `focus` holds namespaces and NAMESPACE/NAME of workloads."""
    workloads = [w for w in world.workloads if not w.ended]
    every = (bool(focus) and len(workloads) * _focused(workloads, focus) <= 4 * MOST_PAIRS) or len(workloads) ** 2 <= MOST_PAIRS
    for service in world.services:
        for server in world.pods_of(service):
            for port, number in _ports(service, server):
                yield from _to(world, workloads, server, service, port, number, every, focus)


def _focused(workloads: list[Workload], focus: frozenset[str]) -> int:
    return sum(1 for w in workloads if in_focus(str(w), focus))


def in_focus(name: str, focus: frozenset[str]) -> bool:
    """Whether a workload is one of those that are looked at."""
    return not focus or name in focus or name.partition("/")[0] in focus


def _ports(service: Service, server: Workload) -> Iterator[tuple[ServicePort, int]]:
    for port in service.ports:
        number = target_number(port, server)
        if number is not None and port.protocol == "TCP":
            yield port, number


def _to(
    world: World,
    workloads: list[Workload],
    server: Workload,
    service: Service,
    port: ServicePort,
    number: int,
    every: bool,
    focus: frozenset[str],
) -> Iterator[Call]:
    http = port_protocol.protocol_of(port) != port_protocol.TCP
    policies = compiled_for(world, server) if receives_through(world, server) else compiled(world, server, http)
    detour = detour_of(world, service, port.number)
    if detour is not None:  # who calls through it is judged there, and then it is the caller
        every, policies = True, AtWaypoint(world, detour).policies(http)
    requests = [*_requests(policies, http), *(plugins.examples(world, server) if http else ())]
    if not every and not policies.allow_policies and not isolated(world, server, "ingress"):
        if in_focus(str(server), focus):
            asked = [
                _ask(world, c, server, service, port, number, http, requests)
                for c in _kinds_of_callers(world, workloads)
                if c is not server
            ]
            if asked:
                verdicts = {call.verdict for call in asked}
                yield asked[0]._replace(source=ANY, verdict=asked[0].verdict if len(verdicts) == 1 else SOME)
        return
    for caller in workloads:
        if caller is server or not (in_focus(str(server), focus) or in_focus(str(caller), focus)):
            continue
        if not every and policies.allow_policies and not _named(world, policies, caller):
            continue
        yield _ask(world, caller, server, service, port, number, http, requests)


def _kinds_of_callers(world: World, workloads: list[Workload]) -> list[Workload]:
    """One caller of each kind that a server without policies can tell apart: with a sidecar or without, and free to call anybody."""

    def find() -> list[Workload]:
        free = (w for w in workloads if not isolated(world, w, "egress"))
        divided = world.revisions.divided
        return list({(sidecar_of(world, w)[::2], w.host_network, managed(world, w) if divided else None): w for w in free}.values())

    return world.once("kinds of callers", find)


def _named(world: World, policies: CompiledPolicies, caller: Workload) -> bool:
    """Whether an ALLOW rule may mean a caller, by its identity alone."""
    a = Attributes()
    a.unknown = _CALL
    side = sidecar_of(world, caller)
    if side.present is not False or side.ambient:
        a.principal = f"spiffe://{view_of(world, caller).mesh.trust_domain}/ns/{caller.namespace}/sa/{caller.service_account}"
    return any(_may_come_from(rule, a) for rule in policies.allow)


def _may_come_from(rule: CompiledRule, a: Attributes) -> bool:
    return not rule.sources or any(all(test.holds(a) is not False for test in tests) for tests in rule.sources)


def _requests(policies: CompiledPolicies, http: bool) -> Iterator[tuple[str, str, str]]:
    """(method, path, label): a request that no rule names, and one for each operation that an ALLOW rule names."""
    yield _unnamed_method(policies), "/probe-of-meshcheck", ""
    if not http:
        return
    seen = set()
    for rule in policies.allow:
        for tests in rule.operations:
            fields = {test.field.name: test.field.values for test in tests if not test.field.negated}
            methods, paths = fields.get("methods", ("*",)), fields.get("paths", ("*",))
            label = f"{', '.join(methods)} {', '.join(paths)}".strip()
            if label not in seen and label != "* *":
                seen.add(label)
                yield _example(methods[0], "GET"), _example_path(paths[0]), label.replace("* ", "", 1) if label.startswith("* ") else label


def _unnamed_method(policies: CompiledPolicies) -> str:
    """A method that no rule names, and that Envoy reads all the same: to one that it does not know it answers 400 before any rule."""
    rules = (*policies.allow, *policies.deny)
    named = (test.field for rule in rules for tests in rule.operations for test in tests if test.field.name == "methods")
    stems = {value.strip("*") for field in named for value in field.values if value != "*"}
    return next((method for method in _RARE_METHODS if not any(stem in method for stem in stems)), _RARE_METHODS[-1])


def _example(pattern: str, default: str) -> str:
    return default if "*" in pattern else pattern


def _example_path(pattern: str) -> str:
    path = pattern.replace("{**}", "x").replace("{*}", "x")
    path = f"/x{path[1:]}" if path.startswith("*") else path.replace("*", "x")
    return path if path.startswith("/") else "/" + path


def _ask(
    world: World,
    caller: Workload,
    server: Workload,
    service: Service,
    port: ServicePort,
    number: int,
    http: bool,
    requests: list[tuple[str, str, str]],
) -> Call:
    answers: list[tuple[str, Trace]] = []
    for method, path, label in requests:
        question = Question(
            caller=Caller(namespace=caller.namespace, workload=f"{caller.kind}/{caller.name}"),
            target=Target(host=f"{service.name}.{service.namespace}", port=port.number),
            protocol="http" if http else "tcp",
            method=method,
            path=path,
            headers={},
        )
        answers.append((label, trace(world, question, explain=False)))
        if answers[0][1].verdict == ALLOWED:
            break  # the plain request gets through: nothing is gained by asking for special ones
    verdicts = {found.verdict for _, found in answers}
    first = answers[0][1]
    allowed = tuple(label for label, found in answers if found.verdict == ALLOWED and label)
    verdict = first.verdict if len(verdicts) == 1 else SOME if ALLOWED in verdicts else DENIED if verdicts == {DENIED} else UNKNOWN
    symptom = words(next((t.symptom for _, t in answers if t.verdict == DENIED), first.symptom)) if verdict in (DENIED, SOME) else ""
    names = dict.fromkeys(str(s.decider.meta.ref) for _, t in answers for h in t.hops for s in h.stations if s.decider is not None)
    mtls = any(s.identity for _, t in answers for h in t.hops for s in h.stations)
    return Call(
        str(caller),
        str(server),
        service.name,
        port.number,
        number,
        port_protocol.protocol_of(port),
        verdict,
        symptom,
        allowed,
        tuple(names),
        mtls,
    )


def words(symptom: Symptom) -> str:
    """A refusal in a word: `403`, `timeout`."""
    return str(symptom.status) if symptom.status else symptom.kind
