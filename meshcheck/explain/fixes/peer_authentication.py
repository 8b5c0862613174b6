"""Modes of ports: PeerAuthentication lets plaintext in, or takes what the caller sends."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.explain.fixes.case import Candidate, Case, at, change, created, free_name, put, single, telling_labels
from meshcheck.model.core import Workload
from meshcheck.model.objects import dotted


def candidates(case: Case) -> Iterator[Candidate]:
    """The port that is called, then the workload, then the policy that decides."""
    server, meta = case.server, case.decider
    if server is None:
        return
    plaintext = "plaintext" in case.station.summary.rpartition(":")[2] and "encrypted" not in case.station.summary
    mode = "PERMISSIVE"
    admits = "which also admits every other plaintext caller" if plaintext else "which takes mTLS as well as plaintext"
    raw = case.raw(meta)
    field = case.station.decider.field if case.station.decider is not None else ()
    port = _port(case, server)
    if meta is not None and raw is not None:
        own = bool(at(raw, ("spec", "selector", "matchLabels")))
        if own and port is not None and "portLevelMtls" not in field:
            step = put(raw, ("spec", "portLevelMtls", str(port), "mode"), mode)
            yield single(f"let port {port} be {mode} in {meta.ref}, {admits} of that port", meta, step, wide=1)
        elif not own and port is not None:
            name = free_name(case.world, "PeerAuthentication", server.namespace, f"{server.name}-{port}")
            spec = {
                "selector": {"matchLabels": telling_labels(case.world, server)},
                "mtls": {"mode": "STRICT" if plaintext else "UNSET"},
                "portLevelMtls": {str(port): {"mode": mode}},
            }
            new = created("PeerAuthentication", "security.istio.io/v1", server.namespace, name, spec=spec)
            yield Candidate(f"add {new[0].ref}: port {port} of {server} alone is {mode}, {admits} of that port", (new,), 1, server.meta)
        if field and at(raw, field) is not None:
            yield single(f"let {dotted(field)} of {meta.ref} be {mode}, {admits}", meta, change(field, mode), wide=2)


def _port(case: Case, server: Workload) -> int | None:
    """The port of the workload that is called; None where it has several and the trace does not say which."""
    from meshcheck.semantics.tracing.server import target_number

    called = case.question.target.port
    numbers = {
        number
        for service in case.world.services_of(server)
        for port in service.ports
        if (called is None or port.number == called) and port.protocol == "TCP" and (number := target_number(port, server)) is not None
    }
    numbers = numbers or {port.number for port in server.ports if port.protocol == "TCP"}
    return numbers.pop() if len(numbers) == 1 else called if called in numbers else None
