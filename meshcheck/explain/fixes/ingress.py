"""Ingress: classes and hosts; of ingress-nginx the lists of addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshcheck.explain.fixes.case import Candidate, Case, at, change, drop, push, put, single
from meshcheck.explain.fixes.gateways import host_of
from meshcheck.model.ingress import Ingress
from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.ingress.annotations import PREFIX
from meshcheck.semantics.ingress.controller import controller_of, is_ingress_nginx


def candidates(case: Case) -> Iterator[Candidate]:
    """Ways past an ingress controller."""
    pod = case.server
    controller = controller_of(case.world, pod) if pod is not None and is_ingress_nginx(pod) else None
    host = host_of(case)
    every: tuple[Ingress, ...] = case.world.inventory.of("Ingress")
    for ingress in [i for i in every if any(r.host in (host, "") for r in i.rules)] or list(every[:3]):
        raw = case.raw(ingress.meta)
        if raw is None:
            continue
        if controller is not None:
            names = [c.meta.name for c in case.world.inventory.of("IngressClass") if c.controller == controller.controller_class]
            for name in names or [controller.ingress_class]:
                if ingress.class_name != name:
                    step = put(raw, ("spec", "ingressClassName"), name)
                    yield single(f"write ingressClassName: {name} in {ingress.meta.ref}", ingress.meta, step)
        rules = at(raw, ("spec", "rules")) or ()
        if rules and all(rule.get("host") not in (host, None, "") for rule in rules):
            step = push(raw, ("spec", "rules"), {**rules[0], "host": host})
            yield single(f"add host `{host}`, as {rules[0].get('host')} otherwise, to {ingress.meta.ref}", ingress.meta, step, wide=1)
        yield from _paths(case, ingress, raw)


def _paths(case: Case, ingress: Ingress, raw: Any) -> Iterator[Candidate]:
    """The path of the call beside those that the host has."""
    for number, rule in enumerate(at(raw, ("spec", "rules")) or ()):
        paths = at(rule, ("http", "paths")) or ()
        if paths and rule.get("host") in (host_of(case), None, "") and all(p.get("path") != case.path for p in paths):
            new = {**paths[0], "path": case.path, "pathType": "Exact"}
            step = push(raw, ("spec", "rules", number, "http", "paths"), new)
            yield Candidate(
                f"add path {case.path}, as {paths[0].get('path')} otherwise, to {ingress.meta.ref}", ((ingress.meta, (step,)),), 1
            )


def lists(case: Case) -> Iterator[Candidate]:
    """Lists of addresses in annotations."""
    decider = case.station.decider
    meta = case.decider
    raw = case.raw(meta)
    address = case.question.source_ip or case.question.caller.ip or ""
    parsed = parse_address(address) if address else None
    if meta is None or raw is None or decider is None or parsed is None or meta.ref.kind != "Ingress":
        return
    notes = meta.annotations
    for name in ("allowlist-source-range", "whitelist-source-range"):
        if (written := notes.get(PREFIX + name)) is not None:
            own = f"{address}/{parsed.bits}"
            step = change(("metadata", "annotations", PREFIX + name), f"{written},{own}" if written.strip() else own)
            broken = [p.strip() for p in written.split(",") if parse_block(p.strip()) is None]
            stay = [p.strip() for p in written.split(",") if p.strip() not in broken]
            if broken and stay:
                words = f"take {', '.join(broken)}, which is no CIDR, out of annotation {name} of {meta.ref}"
                yield single(words, meta, change(("metadata", "annotations", PREFIX + name), ", ".join(stay)))
            yield single(f"add {own} to annotation {name} of {meta.ref}", meta, step)
    written = notes.get(PREFIX + "denylist-source-range")
    if written is not None:
        stay = [p.strip() for p in written.split(",") if (block := parse_block(p.strip())) is None or not block.holds(parsed)]
        field = ("metadata", "annotations", PREFIX + "denylist-source-range")
        step = change(field, ",".join(stay)) if stay else drop(field)
        gone = ", ".join(p.strip() for p in written.split(",") if p.strip() not in stay)
        yield single(f"take {gone} out of annotation denylist-source-range of {meta.ref}", meta, step, wide=1)
