"""Calico's policies: one more port, one more rule, or a rule in front of the one that denies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.explain.causes import failing
from meshcheck.explain.fixes.case import Candidate, Case, at, push, single, telling_labels
from meshcheck.explain.fixes.wire import Wire
from meshcheck.model.json_patch import Step
from meshcheck.model.network_policy import INGRESS
from meshcheck.model.objects import Meta
from meshcheck.model.reason import Reason


def is_of_calico(meta: Meta) -> bool:
    """Whether a policy is one of Calico's."""
    return meta.ref.api_version.partition("/")[0].endswith("projectcalico.org")


def candidates(case: Case, wire: Wire) -> Iterator[Candidate]:
    """Ways past policies of Calico that isolate, or deny."""
    metas = {m.meta.ref: m.meta for m in case.station.policies if is_of_calico(m.meta)}
    for reason in case.station.reasons:
        meta = metas.get(reason.object) if reason.object else None
        raw = case.raw(meta)
        if meta is not None and raw is not None:
            yield from _another_port(wire, meta, raw, reason)
    for mention in case.station.policies:
        raw = case.raw(mention.meta) if is_of_calico(mention.meta) else None
        rule = _rule(case, wire, mention.meta) if raw is not None else None
        if raw is None or rule is None:
            continue
        words = f"{mention.meta.ref}: {wire.direction} {wire.list_name} {wire.peer_words or 'everywhere'}, {wire.protocol} {wire.port}"
        wide = 2 if wire.anybody else 0
        if mention.effect == "isolates":
            yield single(f"add a rule to {words}", mention.meta, push(raw, ("spec", wire.direction), rule), wide=wide)
        elif mention.effect == "denies" and len(mention.field) > 2 and isinstance(mention.field[2], int):
            step: Step = {"op": "add", "path": f"/spec/{wire.direction}/{mention.field[2]}", "value": rule}
            yield single(f"add a rule before rule {mention.field[2]} of {words}", mention.meta, step, wide=wide)


def _another_port(wire: Wire, meta: Meta, raw: Mapping[str, Any], reason: Reason) -> Iterator[Candidate]:
    """An Allow rule that lacks nothing but the port."""
    field = reason.field[:3]
    missed = [leaf.field for leaf in failing(reason) if leaf.field]
    if len(field) < 3 or at(raw, (*field, "action")) != "Allow" or not missed:
        return
    ports = (*field, "destination", "ports")
    if all(path == ports for path in missed):
        words = f"add {wire.protocol} {wire.port} to the ports of {wire.direction} rule {field[2]} of {meta.ref}"
        yield single(words, meta, push(raw, ports, wire.port))


def _rule(case: Case, wire: Wire, meta: Meta) -> dict[str, Any] | None:
    """A rule that allows the connection; None where nothing is known of the other end."""
    peer = _entity(case, wire, meta)
    if peer is None and not wire.anybody:
        return None
    end, other = ("source", "destination") if wire.direction == INGRESS else ("destination", "source")
    rule: dict[str, Any] = {"action": "Allow", "protocol": wire.protocol, **({end: peer} if peer else {})}
    rule.setdefault("destination", {})["ports"] = [wire.port]
    return {key: value for key, value in rule.items() if key != other or value}


def _entity(case: Case, wire: Wire, meta: Meta) -> dict[str, Any] | None:
    if wire.peer is None:
        return {"nets": [f"{wire.address}/{128 if ':' in wire.address else 32}"]} if wire.address else None
    if wire.peer.host_network:
        return None
    selector = " && ".join(f"{key} == '{value}'" for key, value in telling_labels(case.world, wire.peer).items())
    found = {"selector": selector} if selector else {"selector": "all()"}
    if wire.peer.namespace != meta.namespace:
        found["namespaceSelector"] = f"projectcalico.org/name == '{wire.peer.namespace}'"
    return found
