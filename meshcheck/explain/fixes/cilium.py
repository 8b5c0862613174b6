"""Cilium's policies: one more peer or port, one more rule, one more HTTP rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.explain.causes import failing
from meshcheck.explain.fixes.case import Candidate, Case, at, push, single, telling_labels
from meshcheck.explain.fixes.wire import Wire
from meshcheck.model.objects import Meta, Path
from meshcheck.model.reason import Reason
from meshcheck.model.trace import Mention

KINDS = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
_NAMESPACE = "k8s:io.kubernetes.pod.namespace"


def candidates(case: Case, wire: Wire) -> Iterator[Candidate]:
    """Ways past policies of Cilium that isolate, or look into requests; what a rule denies stays denied."""
    mentions = [m for m in case.station.policies if m.meta.ref.kind in KINDS]
    metas = {m.meta.ref: m.meta for m in mentions}
    for reason in case.station.reasons:
        meta = metas.get(reason.object) if reason.object else None
        raw = case.raw(meta)
        if meta is not None and raw is not None:
            yield from _near_miss(case, wire, meta, raw, reason)
    for mention in mentions:
        raw = case.raw(mention.meta)
        if raw is not None:
            yield from _another_rule(case, wire, mention, raw)


def _another_rule(case: Case, wire: Wire, mention: Mention, raw: Mapping[str, Any]) -> Iterator[Candidate]:
    name = str(mention.meta.ref)
    if mention.effect == "isolates":
        rule = _rule(case, wire, mention.meta.namespace)
        if rule is not None and mention.field:
            yield single(f"add a rule to {name}: {wire.words}", mention.meta, push(raw, mention.field, rule))
    elif mention.effect == "denies" and mention.field[-2:] == ("rules", "http"):
        found = {"method": case.question.method, "path": _quoted(case.path) + (r"(\?.*)?" if "?" in case.question.path else "")}
        words = f"add an HTTP rule to {name}: {case.question.method} {case.path}"
        yield single(words, mention.meta, push(raw, mention.field, found))
    elif mention.effect == "denies" and mention.field[-2:] == ("rules", "dns"):
        words = f"add a DNS rule to {name}: every name, for resolvers ask for a name in several domains"
        yield single(words, mention.meta, push(raw, mention.field, {"matchPattern": "*"}), wide=1)


def _quoted(path: str) -> str:
    """A path as a regular expression."""
    return "".join(f"\\{letter}" if letter in r".+*?()[]{}|^$\\" else letter for letter in path)


def _near_miss(case: Case, wire: Wire, meta: Meta, raw: Mapping[str, Any], reason: Reason) -> Iterator[Candidate]:
    """A rule that lacks the port, or the peer."""
    field = _rule_of(reason.field)
    if field is None or "http" in reason.field:
        return
    missed = [leaf.field for leaf in failing(reason) if leaf.field]
    ports = any("toPorts" in path for path in missed)
    peers = [path for path in missed if "toPorts" not in path]
    name = f"{field[-2]} rule {field[-1]} of {meta.ref}"
    if ports and not peers and at(raw, (*field, "toPorts", 0, "ports")) is not None:
        steps = tuple(push(raw, (*field, "toPorts", 0, "ports"), port) for port in _ports(wire))
        yield Candidate(f"add {wire.port_words} to the ports of {name}", ((meta, steps),))
    listed = next((part for path in peers for part in path if str(part).endswith("Endpoints")), None)
    peer = _peer(case, wire, meta.namespace)
    if peers and not ports and peer is not None and listed is not None:
        wide = int(not at(raw, (*field, "toPorts")))
        yield single(f"add {wire.peer_words} to the peers of {name}", meta, push(raw, (*field, listed), peer), wide=wide)


def _rule_of(field: Path) -> Path | None:
    """The path of a rule: up to the number behind `ingress` or `egress`."""
    for n, part in enumerate(field[:-1]):
        if part in ("ingress", "egress") and isinstance(field[n + 1], int):
            return field[: n + 2]
    return None


def _peer(case: Case, wire: Wire, namespace: str) -> dict[str, Any] | None:
    """The other end as an entry of `fromEndpoints` or `toEndpoints`."""
    if wire.peer is None or wire.peer.host_network:
        return None
    labels = dict(telling_labels(case.world, wire.peer))
    if wire.peer.namespace != namespace:
        labels[_NAMESPACE] = wire.peer.namespace
    return {"matchLabels": labels}


def _rule(case: Case, wire: Wire, namespace: str) -> dict[str, Any] | None:
    peer, side = _peer(case, wire, namespace), "from" if wire.list_name == "from" else "to"
    ports = [{"ports": _ports(wire)}]
    if peer is not None:
        return {f"{side}Endpoints": [peer], "toPorts": ports}
    if wire.address:
        return {f"{side}CIDR": [f"{wire.address}/{128 if ':' in wire.address else 32}"], "toPorts": ports}
    return {f"{side}Entities": ["world"], "toPorts": ports} if wire.anybody else None


def _ports(wire: Wire) -> list[dict[str, Any]]:
    return [{"port": str(port["port"]), "protocol": port["protocol"]} for port in wire.ports]
