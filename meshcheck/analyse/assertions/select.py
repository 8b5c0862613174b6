"""Which callers and targets of a World a statement means."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from meshcheck.analyse.assertions.assertion import Assertion, Selection, Selector
from meshcheck.analyse.ends import End, Party
from meshcheck.model.core import Workload
from meshcheck.model.question import Caller, Target
from meshcheck.semantics import port_protocol
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.entry.ways import ways_in
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world import World

NOWHERE = "somewhere"
"""The namespace of a pod without a sidecar that is not in the input."""


def callers_of(world: World, assertion: Assertion) -> list[Party]:
    """The callers that a statement means, but those from outside the cluster."""
    out: list[Party] = []
    wanted = assertion.callers
    for workload in world.workloads:
        if not workload.ended and any(_means(s, workload) for s in wanted.include) and not any(_means(s, workload) for s in wanted.exclude):
            out.append(Party(caller_of(world, workload), workload))
    out += [Party(Caller(ip=s.url), None) for s in wanted.include if s.kind == "address"]
    open_world = not world.complete("Pod", "Deployment") if assertion.strangers is None else assertion.strangers
    if open_world or any(s.kind == "stranger" for s in wanted.include):
        out += _strangers(world, wanted)
    return out


def comes_from_outside(assertion: Assertion) -> bool:
    """Whether callers outside the cluster are meant."""
    kinds = {s.kind for s in assertion.callers.include}
    return bool(kinds & {"external", "any"}) and not any(s.kind == "external" for s in assertion.callers.exclude)


def caller_of(world: World, workload: Workload) -> Caller:
    """A workload as a caller, by its short name where that is clear."""
    short = world.find_workload(workload.namespace, workload.name) is workload
    return Caller(namespace=workload.namespace, workload=workload.name if short else f"{workload.kind}/{workload.name}")


def _strangers(world: World, wanted: Selection) -> Iterator[Party]:
    """Workloads that are not in the input: of each namespace that is meant as a whole, of none that is known, and one without a sidecar."""
    everybody = [s for s in wanted.include if s.kind in ("any", "workloads", "stranger") and not (s.names or s.accounts or s.labels)]
    for name in world.namespaces:
        whole = [s for s in wanted.include if s.kind in ("any", "workloads", "stranger") and _whole_namespace(s, name)]
        if whole and not any(_whole_namespace(s, name) for s in wanted.exclude):
            yield Party(Caller(namespace=name, service_account="*"), None)
    if any(not s.namespaces for s in everybody):
        yield Party(Caller(service_account="*"), None)
        yield Party(Caller(namespace=NOWHERE, service_account="default", plaintext=True), None)


def _whole_namespace(selector: Selector, namespace: str) -> bool:
    if selector.accounts or selector.labels or any(name != "*" for name in selector.names):
        return False
    return selector.kind != "external" and (not selector.namespaces or any(fnmatchcase(namespace, n) for n in selector.namespaces))


def _means(selector: Selector, workload: Workload) -> bool:
    if selector.kind not in ("any", "workloads"):
        return False
    return (
        (not selector.namespaces or any(fnmatchcase(workload.namespace, n) for n in selector.namespaces))
        and (not selector.names or any(_named(workload, n) for n in selector.names))
        and (not selector.accounts or any(fnmatchcase(workload.service_account, n) for n in selector.accounts))
        and selects(selector.labels, workload.pod_labels)
    )


def _named(workload: Workload, pattern: str) -> bool:
    kind, slash, name = pattern.partition("/")
    return fnmatchcase(workload.name, name if slash else pattern) and (not slash or kind.lower() == workload.kind.lower())


# ---- targets ----


def meant(world: World, assertion: Assertion) -> set[int]:
    """The workloads (by `id`) that targets mean, whichever way they are called."""
    return {id(w) for w in world.workloads if not w.ended and _is_target(assertion.targets, w)}


def service_ports(world: World, assertion: Assertion) -> list[int]:
    """The ports of all Services that lead to what is meant."""
    wanted = meant(world, assertion)
    leading = (s for s in world.services if any(id(w) in wanted for w in world.pods_of(s)))
    return sorted({port.number for service in leading for port in service.ports})


def ends_of(world: World, assertion: Assertion) -> list[End]:
    """Ports of Services that lead to what is meant, or that are meant themselves; for `denied` also the ports of the pods themselves."""
    wanted = meant(world, assertion)
    ports = {s.port for s in assertion.targets.include if s.kind != "url"}
    out: list[End] = []
    for service in world.services:
        pods = world.pods_of(service)
        by_name = any(_service_named(s, service.namespace, service.name) for s in assertion.targets.include) and not any(
            _service_named(s, service.namespace, service.name) for s in assertion.targets.exclude
        )
        if not by_name and not any(id(pod) in wanted for pod in pods):
            continue
        for port in service.ports:
            if None in ports or port.number in ports:
                target = Target(host=f"{service.name}.{service.namespace}", port=port.number)
                out.append(End(target, _protocol(port.protocol, port_protocol.protocol_of(port)), pods))
    if assertion.expect == "denied":
        out += _direct(world, [w for w in world.workloads if id(w) in wanted], ports)
    return out


def _direct(world: World, workloads: list[Workload], ports: set[int | None]) -> Iterator[End]:
    """Each port of a pod, as a caller reaches it that does not go through the Service."""
    for workload in workloads:
        numbers: dict[tuple[int, str], str] = {}
        for service in world.services_of(workload):
            for port in service.ports:
                number = target_number(port, workload)
                if number is not None:
                    numbers.setdefault((number, port.protocol), port_protocol.protocol_of(port))
        for own in workload.ports:
            numbers.setdefault((own.number, own.protocol), port_protocol.DETECTED)
        for (number, transport), protocol in numbers.items():
            if None in ports or number in ports:
                target = Target(namespace=workload.namespace, pod=workload.name, port=number)
                yield End(target, _protocol(transport, protocol), (workload,), True)


def _protocol(transport: str, declared: str) -> str:
    return transport.lower() if transport != "TCP" else "tcp" if declared == port_protocol.TCP else "http"


def _is_target(targets: Selection, workload: Workload) -> bool:
    return any(_means(s, workload) for s in targets.include) and not any(_means(s, workload) for s in targets.exclude)


def _service_named(selector: Selector, namespace: str, name: str) -> bool:
    if selector.kind != "workloads" or selector.accounts or selector.labels or not (selector.namespaces or selector.names):
        return False
    return (not selector.namespaces or any(fnmatchcase(namespace, n) for n in selector.namespaces)) and (
        not selector.names or any(fnmatchcase(name, n) for n in selector.names)
    )


def ways_from_outside(world: World) -> list[End]:
    """Each address by which something is called from outside the cluster; paths do not count."""
    out: dict[tuple[object, ...], End] = {}
    for way in ways_in(world):
        if way.question is None:
            continue
        target = way.question.target
        via = tuple(sorted((target.via or {}).items(), key=str))
        key = (target.host, target.port, via, way.question.protocol)
        out.setdefault(key, End(target, way.question.protocol, ()))
    return list(out.values())
