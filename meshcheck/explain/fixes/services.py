"""Services: ports that are not there, protocols that are not declared, lists of load balancers."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.explain.fixes.case import Candidate, Case, at, drop, push, put, single
from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.semantics import port_protocol
from meshcheck.semantics.addresses import parse_address
from meshcheck.semantics.tracing.server import target_number


def source_ranges(case: Case) -> Iterator[Candidate]:
    """The client's address in the list of the load balancer."""
    meta = case.decider
    raw = case.raw(meta)
    address = case.question.source_ip or case.question.caller.ip or ""
    parsed = parse_address(address) if address else None
    if meta is not None and raw is not None and parsed is not None:
        block = f"{address}/{parsed.bits}"
        step = push(raw, ("spec", "loadBalancerSourceRanges"), block)
        yield single(f"add {block} to spec.loadBalancerSourceRanges of {meta.ref}", meta, step)


def ports(case: Case) -> Iterator[Candidate]:
    """A port of the Service that is called: one more, at the port of its pods."""
    service = called_service(case)
    port = case.question.target.port or {"https": 443, "tls": 443}.get(case.question.protocol, 80)
    raw = case.raw(service.meta) if service is not None else None
    if service is None or raw is None:
        return
    existing = next((p for p in service.ports if p.number == port), None)
    numbers: dict[int, None] = {}
    for pod in case.world.pods_of(service):
        numbers |= {p.number: None for p in pod.ports if p.protocol == "TCP"}
    numbers |= {p.target: None for p in service.ports if isinstance(p.target, int)}
    for target in numbers if port not in numbers else {port: None, **numbers}:
        if existing is None:
            name = "http" if case.question.is_http else "tls" if case.question.protocol in ("https", "tls") else "tcp"
            new = {"name": f"{name}-{port}", "port": port, "targetPort": target}
            yield Candidate(
                f"add port {port} (to {target} of the pods) to {service.meta.ref}", ((service.meta, (push(raw, ("spec", "ports"), new),)),)
            )
        else:
            step = put(raw, ("spec", "ports", service.ports.index(existing), "targetPort"), target)
            yield single(f"let targetPort of port {port} of {service.meta.ref} be {target}", service.meta, step)


def called_service(case: Case) -> Service | None:
    """The Service that the question names."""
    from meshcheck.semantics.world.hosts import look_up

    target = case.question.target
    if target.service and target.namespace:
        return case.world.service(target.namespace, target.service)
    return look_up(case.world, target.host, case.question.caller.namespace).service if target.host else None


def protocols(case: Case) -> Iterator[Candidate]:
    """The port declared as what the caller speaks: rules about methods and paths can only be checked on HTTP ports."""
    server = case.server
    if server is None:
        return
    wanted = "grpc" if case.question.protocol == "grpc" else "http" if case.question.is_http else "tcp"
    for service in case.world.services_of(server):
        raw = case.raw(service.meta)
        for number, port in enumerate(service.ports):
            if raw is None or port.protocol != "TCP" or not _meant(case, service, port, server):
                continue
            http = port_protocol.protocol_of(port) == port_protocol.HTTP
            if http == (wanted != "tcp"):
                continue
            field = ("spec", "ports", number, "appProtocol")
            name = at(raw, (*field[:-1], "name"))
            words = f"declare port {port.number} of {service.meta.ref} as {wanted}"
            if port.app_protocol is not None and isinstance(name, str) and name.partition("-")[0] == wanted:
                yield Candidate(
                    f"{words}: take appProtocol {port.app_protocol} away, its name says `{name}`", ((service.meta, (drop(field),)),)
                )
            yield single(f"{words} (appProtocol: {wanted})", service.meta, put(raw, field, wanted))


def _meant(case: Case, service: Service, port: ServicePort, server: Workload) -> bool:
    """Whether a call to the target's port meets this Service port's declaration."""
    called = case.question.target.port
    if called is None or port.number == called:
        return True
    return any(target_number(p, server) == target_number(port, server) for p in service.ports if p.number == called) or any(
        target_number(p, server) == target_number(port, server)
        for other in case.world.services_of(server)
        for p in other.ports
        if p.number == called
    )
