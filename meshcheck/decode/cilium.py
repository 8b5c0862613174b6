"""Cilium's policies. What is of an unexpected form raises, and is then no part of the World; what Cilium itself refuses is a flaw.

Sources: cilium/cilium:pkg/policy/api/rule_validation.go (Sanitize), pkg/policy/utils/parserules.go (RulesToPolicyEntries).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.decode.cilium_flaws import NODES, is_port_name, of_rule, of_subject
from meshcheck.decode.metadata import decode_selector
from meshcheck.model.cilium import (
    CidrGroup,
    CidrGroupPeer,
    CidrPeer,
    CiliumPeer,
    CiliumPolicy,
    CiliumPorts,
    CiliumRule,
    CiliumSpec,
    EndpointPeer,
    EntityPeer,
    HeaderWanted,
    HttpRule,
    NamePeer,
    ServicePeer,
    UnreadPeer,
)
from meshcheck.model.network_policy import EGRESS, INGRESS, PortRange
from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import replace

_EMPTY: Mapping[str, Any] = {}
_LAST = 65535
_UNREAD_PEERS = {"Nodes": NODES, "Groups": "groups of a cloud provider", "Requires": "what is required of peers"}
_UNREAD_PORTS = ("terminatingTLS", "originatingTLS", "serverNames", "listener")
_NOBODY_WHERE_EMPTY = frozenset(["Endpoints", "Nodes", "Entities", "CIDR", "CIDRSet"])
"""An empty list of these means nobody; other lists count as not written."""


def decode_policy(value: Mapping[str, Any], meta: Meta) -> CiliumPolicy:
    """A CiliumNetworkPolicy or a CiliumClusterwideNetworkPolicy."""
    written: list[tuple[Path, Any]] = [(("spec",), value["spec"])] if value.get("spec") is not None else []
    written += [(("specs", n), spec) for n, spec in enumerate(value.get("specs") or ())]
    specs = tuple(_spec(spec or _EMPTY, field, meta.ref.namespace is None) for field, spec in written)
    flaw = next((spec.flaw for spec in specs if spec.flaw and (spec.ingress or spec.egress)), None)
    return CiliumPolicy(meta, tuple(replace(spec, flaw=flaw) for spec in specs))


def decode_cidr_group(value: Mapping[str, Any], meta: Meta) -> CidrGroup:
    """A CiliumCIDRGroup."""
    return CidrGroup(meta, tuple((value.get("spec") or _EMPTY).get("externalCIDRs") or ()))


def _spec(spec: Mapping[str, Any], field: Path, clusterwide: bool) -> CiliumSpec:
    subject, nodes = spec.get("endpointSelector"), spec.get("nodeSelector")
    switch = spec.get("enableDefaultDeny") or _EMPTY
    found = {}
    for direction in (INGRESS, EGRESS):
        sections = ((direction, False), (f"{direction}Deny", True))
        found[direction] = tuple(rule for name, denies in sections for rule in _rules(spec.get(name), name, denies, direction, field))
    isolates = frozenset(direction for direction, rules in found.items() if rules and switch.get(direction) is not False)
    return CiliumSpec(
        subject=None if subject is None else decode_selector(subject, (*field, "endpointSelector")),
        ingress=found[INGRESS],
        egress=found[EGRESS],
        isolates=isolates,
        flaw=of_subject(subject, nodes, clusterwide) or next(filter(None, (of_rule(r) for rules in found.values() for r in rules)), None),
        field=field,
    )


def _rules(rules: Any, name: str, denies: bool, direction: str, field: Path) -> Iterator[CiliumRule]:
    for n, rule in enumerate(rules or ()):
        here, body = (*field, name, n), rule or _EMPTY
        unread = [key for key in ("fromRequires", "toRequires") if body.get(key)]
        if (body.get("authentication") or _EMPTY).get("mode") not in (None, "disabled"):
            unread.append("authentication")
        if body.get("icmps") and body.get("toPorts"):
            unread.append("icmps beside toPorts")
        ports = body.get("toPorts")
        entries = None if not ports else tuple(_ports(entry or _EMPTY, (*here, "toPorts", k)) for k, entry in enumerate(ports))
        if body.get("icmps"):
            entries = entries or ()
        yield CiliumRule(n, name, denies, _peers(body, "from" if direction == INGRESS else "to", here), entries, tuple(unread), here)


def _peers(body: Mapping[str, Any], side: str, here: Path) -> tuple[CiliumPeer, ...] | None:
    """None where no list of peers is written."""
    out: list[CiliumPeer] = []
    lists = [name for name in body if name.startswith(side) and name not in ("toPorts", f"{side}Requires") and body[name] is not None]
    written = [name for name in lists if body[name] or name.removeprefix(side) in _NOBODY_WHERE_EMPTY]
    for name in written:
        for n, item in enumerate(body[name]):
            out.append(_peer(name.removeprefix(side), item, (*here, name, n)))
    return tuple(out) if written else None


def _peer(kind: str, item: Any, field: Path) -> CiliumPeer:
    if kind == "Endpoints":
        return EndpointPeer(decode_selector(item, field), field)
    if kind == "CIDR":
        return CidrPeer(item, (), field)
    if kind == "CIDRSet":
        excepts, group = tuple(item.get("except") or ()), item.get("cidrGroupSelector")
        if item.get("cidr"):
            return CidrPeer(item["cidr"], excepts, field)
        return CidrGroupPeer(item.get("cidrGroupRef") or "", None if group is None else decode_selector(group, field), excepts, field)
    if kind == "Entities":
        return EntityPeer(item, field)
    if kind == "FQDNs":
        return NamePeer(item.get("matchName") or "", item.get("matchPattern") or "", field)
    if kind == "Services":
        one, many = item.get("k8sService"), item.get("k8sServiceSelector")
        if many is not None:
            return ServicePeer("", many.get("namespace") or "", decode_selector(many.get("selector"), field), field)
        one = one or _EMPTY
        return ServicePeer(one.get("serviceName") or "", one.get("namespace") or "", None, field)
    return UnreadPeer(_UNREAD_PEERS.get(kind, f"peers of the form {kind}"), field)


def _ports(entry: Mapping[str, Any], field: Path) -> CiliumPorts:
    rules = entry.get("rules") or _EMPTY
    unread = [name for name in _UNREAD_PORTS if entry.get(name)]
    unread += [f"rules.{name}" for name in rules if name not in ("http", "dns") and rules[name]]
    return CiliumPorts(
        ports=tuple(_port(port or _EMPTY, (*field, "ports", n)) for n, port in enumerate(entry.get("ports") or ())),
        http=tuple(_http(rule or _EMPTY, (*field, "rules", "http", n)) for n, rule in enumerate(rules.get("http") or ())),
        dns=tuple(
            NamePeer(rule.get("matchName") or "", rule.get("matchPattern") or "", (*field, "rules", "dns", n))
            for n, rule in enumerate(rules.get("dns") or ())
        ),
        unread=tuple(unread),
        field=field,
    )


def _port(port: Mapping[str, Any], field: Path) -> PortRange:
    """`port` is a text: a number (0 for all), or the name of a container's port; `endPort` says nothing beside a name."""
    protocol, text = port.get("protocol") or "ANY", str(port.get("port") or "0")
    transport = None if protocol == "ANY" else protocol
    if is_port_name(text):
        return PortRange(transport, 0, _LAST, text.lower(), field)
    try:
        number = int(text, 0)
    except ValueError:
        number = _LAST + 1  # no port: Cilium refuses it
    if number == 0:
        return PortRange(transport, 0, _LAST, None, field)
    return PortRange(transport, number, max(number, int(port.get("endPort") or 0)), None, field)


def _http(rule: Mapping[str, Any], field: Path) -> HttpRule:
    headers = []
    for n, text in enumerate(rule.get("headers") or ()):
        name, space, wanted = text.partition(" ")
        headers.append(HeaderWanted(name.rstrip(":") if space else name, wanted if space else None, "", (*field, "headers", n)))
    for n, match in enumerate(rule.get("headerMatches") or ()):
        if not match.get("mismatch"):  # with an action for mismatches the rule matches whatever the header is
            secret = (match.get("secret") or _EMPTY).get("name") or ""
            headers.append(HeaderWanted(match.get("name") or "", match.get("value") or None, secret, (*field, "headerMatches", n)))
    return HttpRule(rule.get("method") or "", rule.get("path") or "", rule.get("host") or "", tuple(headers), field)
