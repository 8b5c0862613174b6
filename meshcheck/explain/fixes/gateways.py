"""Istio's gateways: VirtualServices that are not bound or not seen, hosts that no server has."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.explain.fixes import routes
from meshcheck.explain.fixes.case import Candidate, Case, at, change, push, put, single
from meshcheck.model.core import Workload
from meshcheck.model.istio_gateway import Gateway
from meshcheck.model.istio_networking import VirtualService
from meshcheck.semantics.gateway.pods import gateways_of
from meshcheck.semantics.gateway.virtual_services import with_host


def host_of(case: Case) -> str:
    """The host that is asked for, without its port."""
    return (case.question.host or case.question.target.host or "").partition(":")[0].lower()


def candidates(case: Case) -> Iterator[Candidate]:
    """Ways to a route for the host at the gateway's pods."""
    pod, host = case.server, host_of(case)
    if pod is None or not host:
        return
    meant = with_host(case.world, host)[:6]
    serving = gateways_of(case.world, pod)
    for virtual in meant:
        yield from _bound(case, virtual, serving)
        yield from _seen(case, virtual, pod)
    for gateway in serving:
        yield from _more_hosts(case, gateway, host, tls=case.question.protocol in ("https", "tls"))
    for virtual in meant:
        raw = case.raw(virtual.meta)
        if raw is not None and virtual.gateways != ("mesh",):
            yield from routes.more_matches(case, virtual.meta, raw)
    names = {f"{g.meta.namespace}/{g.meta.name}" for g in serving}
    for virtual in case.world.inventory.of("VirtualService"):
        raw = case.raw(virtual.meta)
        if raw is not None and names & set(virtual.gateways) and virtual not in meant:
            step = push(raw, ("spec", "hosts"), host)
            yield single(f"add `{host}` to spec.hosts of {virtual.meta.ref}", virtual.meta, step, wide=1)


def _bound(case: Case, virtual: VirtualService, serving: tuple[Gateway, ...]) -> Iterator[Candidate]:
    """The Gateway among those of the VirtualService; in place of one that does not exist."""
    raw = case.raw(virtual.meta)
    if raw is None:
        return
    exist = {f"{g.meta.namespace}/{g.meta.name}" for g in case.world.inventory.of("IstioGateway")}
    for gateway in serving:
        own = gateway.meta.namespace == virtual.meta.namespace
        name = gateway.meta.name if own else f"{gateway.meta.namespace}/{gateway.meta.name}"
        if f"{gateway.meta.namespace}/{gateway.meta.name}" in virtual.gateways:
            continue
        for number, written in enumerate(at(raw, ("spec", "gateways")) or ()):
            full = written if "/" in str(written) else f"{virtual.meta.namespace}/{written}"
            if full not in exist and str(written).rpartition("/")[2] == gateway.meta.name:
                step = change(("spec", "gateways", number), name)
                words = f"write `{name}` instead of `{written}`, which does not exist, in spec.gateways of {virtual.meta.ref}"
                yield single(words, virtual.meta, step)
        if at(raw, ("spec", "gateways")):
            yield Candidate(
                f"add `{name}` to spec.gateways of {virtual.meta.ref}", ((virtual.meta, (push(raw, ("spec", "gateways"), name),)),)
            )
        else:
            step = put(raw, ("spec", "gateways"), [name, "mesh"])
            yield single(f"bind {virtual.meta.ref} to Gateway {name}, beside the mesh", virtual.meta, step)


def _seen(case: Case, virtual: VirtualService, pod: Workload) -> Iterator[Candidate]:
    """The VirtualService exported to the gateway's namespace."""
    raw = case.raw(virtual.meta)
    if raw is not None and at(raw, ("spec", "exportTo")):
        step = push(raw, ("spec", "exportTo"), pod.namespace)
        yield single(f"add `{pod.namespace}` to spec.exportTo of {virtual.meta.ref}", virtual.meta, step)


def _more_hosts(case: Case, gateway: Gateway, host: str, tls: bool) -> Iterator[Candidate]:
    """The host among those of a server that speaks as the caller does."""
    raw = case.raw(gateway.meta)
    for number, server in enumerate(gateway.servers):
        if raw is not None and (server.tls is not None) == tls:
            step = push(raw, ("spec", "servers", number, "hosts"), host)
            words = f"add `{host}` to spec.servers[{number}].hosts of {gateway.meta.ref}"
            yield single(words, gateway.meta, step)
