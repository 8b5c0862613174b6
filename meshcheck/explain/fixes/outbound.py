"""Hosts that the caller's sidecar does not know: Sidecar, ServiceEntry, exportTo."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.explain.fixes.case import Candidate, Case, at, created, free_name, push, put, single
from meshcheck.model.core import Workload
from meshcheck.semantics.addresses import parse_address
from meshcheck.semantics.outbound.scope import scope_of
from meshcheck.semantics.routing.selection import host_covers
from meshcheck.semantics.world.hosts import look_up


def candidates(case: Case) -> Iterator[Candidate]:
    """Ways to make the called host known to the caller's sidecar."""
    caller = case.source
    host = _host(case)
    if caller is None or not host:
        return
    named = look_up(case.world, host, caller.namespace)
    service = named.service
    if service is not None:
        yield from _imported(case, caller, service.host, service.namespace)
        raw = case.raw(service.meta)
        note = "networking.istio.io/exportTo"
        if raw is not None and note in service.meta.annotations:
            listed = [item.strip() for item in service.meta.annotations[note].split(",") if item.strip() not in ("", "~")]
            step = put(raw, ("metadata", "annotations", note), ",".join([*listed, caller.namespace]))
            yield single(f"export {service.meta.ref} to namespace {caller.namespace} (annotation {note})", service.meta, step)
        return
    entries = [e for e in case.world.inventory.of("ServiceEntry") if any(host_covers(h, host) for h in e.hosts)]
    for entry in entries:
        raw = case.raw(entry.meta)
        if raw is not None and at(raw, ("spec", "exportTo")):
            step = push(raw, ("spec", "exportTo"), caller.namespace)
            yield single(f"add `{caller.namespace}` to spec.exportTo of {entry.meta.ref}", entry.meta, step)
        yield from _imported(case, caller, host, entry.meta.namespace)
    if not entries and parse_address(host) is None:
        yield from _service_entry(case, caller, host)


def _host(case: Case) -> str:
    """The name that is called, as the caller's sidecar sees it."""
    question = case.question
    if question.target.service and question.target.namespace:
        return f"{question.target.service}.{question.target.namespace}"
    return question.target.host or ""


def _imported(case: Case, caller: Workload, host: str, namespace: str) -> Iterator[Candidate]:
    """One more host among those that the Sidecar imports."""
    sidecar = scope_of(case.world, caller).sidecar
    raw = case.raw(sidecar.meta) if sidecar is not None else None
    egress = at(raw, ("spec", "egress"))
    if sidecar is None or raw is None or not egress:
        return
    entry = f"{namespace}/{host}"
    number = next((n for n, listener in enumerate(egress) if isinstance(listener, dict) and not listener.get("port")), 0)
    step = push(raw, ("spec", "egress", number, "hosts"), entry)
    yield single(f"add `{entry}` to spec.egress[{number}].hosts of {sidecar.meta.ref}", sidecar.meta, step)


def _service_entry(case: Case, caller: Workload, host: str) -> Iterator[Candidate]:
    """The host registered, for the caller's namespace alone, and imported where a Sidecar says what is."""
    question = case.question
    port = question.target.port or {"https": 443, "tls": 443}.get(question.protocol, 80)
    protocol = {"https": "TLS", "tls": "TLS", "grpc": "GRPC", "http": "HTTP"}.get(question.protocol, "TCP")
    name = free_name(case.world, "ServiceEntry", caller.namespace, host.replace(".", "-"))
    sidecar = scope_of(case.world, caller).sidecar
    beside = sidecar.meta if sidecar is not None else caller.meta
    spec = {
        "hosts": [host],
        "exportTo": ["."],
        "location": "MESH_EXTERNAL",
        "resolution": "DNS",
        "ports": [{"number": port, "name": f"{protocol.lower()}-{port}", "protocol": protocol}],
    }
    new = created("ServiceEntry", "networking.istio.io/v1", caller.namespace, name, spec=spec)
    words = f"register {host}:{port} with {new[0].ref}, for namespace {caller.namespace}"
    yield Candidate(words, (new,), 0, beside)
    for also in _imported(case, caller, host, caller.namespace):
        yield Candidate(f"{words}, and {also.description}", (new, *also.patches), 0, beside)
