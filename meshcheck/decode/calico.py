"""Calico's policies. A policy that Calico may not take has a flaw; what is of an unexpected form raises, and is no part of the World.

Sources: projectcalico/calico:api/pkg/apis/projectcalico/v3, api/pkg/lib/numorstring, api/pkg/defaults/networkpolicy.go (types),
libcalico-go/lib/backend/syncersv1/updateprocessors/{rules,networkpolicyprocessor,globalnetworkpolicyprocessor}.go and
felix/calc/rule_scanner.go (extractSelectors) for selectors,
felix/calc/policy_sorter.go (ExtractPolicyMetadata: what was stored without types is about both directions).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.decode.calico_selectors import parse_selector
from meshcheck.decode.metadata import texts
from meshcheck.model.calico import (
    DEFAULT,
    NAMESPACE,
    OF_ACCOUNT,
    OF_NAMESPACE,
    PASS,
    SERVICE_ACCOUNT,
    CalicoPolicy,
    CalicoPort,
    CalicoRule,
    CalicoTier,
    EntityRule,
    NetworkSet,
    SelectorPart,
)
from meshcheck.model.calico_selectors import LabelTest, Negated, rewritten
from meshcheck.model.network_policy import EGRESS, INGRESS
from meshcheck.model.objects import Meta, Path
from meshcheck.model.pattern import pattern

_EMPTY: Mapping[str, Any] = {}
_STORED = "crd.projectcalico.org"
_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "sctp": 132, "udplite": 136}
_ACTIONS = ("Allow", "Deny", "Pass", "Log")
_SPAN = pattern(r"(\d+)(?::(\d+))?")
_IN_A_NAMESPACE = LabelTest(NAMESPACE, "has", ())


def decode_policy(value: Mapping[str, Any], meta: Meta) -> CalicoPolicy:
    """A NetworkPolicy or a GlobalNetworkPolicy."""
    spec = value.get("spec") or _EMPTY
    tier = str(spec.get("tier") or DEFAULT)
    own = meta.namespace if meta.ref.kind == "NetworkPolicy" else ""
    rules: dict[str, tuple[CalicoRule, ...]] = {INGRESS: (), EGRESS: ()}
    selectors: tuple[SelectorPart, ...] = ()
    flaw = ""
    try:
        selectors = tuple(_subject(spec, own))
        rules = {side: tuple(_rules(spec.get(side), own, ("spec", side))) for side in (INGRESS, EGRESS)}
    except _Flaw as found:
        flaw = str(found)
    order = spec.get("order")
    return CalicoPolicy(
        meta=meta,
        name=meta.name.removeprefix(f"{tier}."),
        tier=tier,
        order=None if order is None else float(order),
        selectors=selectors,
        directions=frozenset(_directions(spec, meta.ref.api_version)),
        ingress=rules[INGRESS],
        egress=rules[EGRESS],
        for_hosts=bool(spec.get("doNotTrack") or spec.get("preDNAT")),
        flaw=flaw,
    )


class _Flaw(Exception):
    """Something that Calico does not take."""


def _directions(spec: Mapping[str, Any], api_version: str) -> Iterator[str]:
    types = spec.get("types")
    if types:
        yield from (str(name).lower() for name in types)
    elif api_version.startswith(_STORED):
        yield from (INGRESS, EGRESS)
    else:
        if spec.get(INGRESS) or not spec.get(EGRESS):
            yield INGRESS
        if spec.get(EGRESS):
            yield EGRESS


def _subject(spec: Mapping[str, Any], own: str) -> Iterator[SelectorPart]:
    yield from _part("selector", spec, ("spec",))
    if own:
        yield SelectorPart("namespace", LabelTest(NAMESPACE, "==", (own,)), f"pods of namespace {own}", ("metadata", "namespace"))
    else:
        yield from _part("namespaceSelector", spec, ("spec",), OF_NAMESPACE)
    yield from _part("serviceAccountSelector", spec, ("spec",), OF_ACCOUNT)


def _part(name: str, written: Mapping[str, Any], field: Path, prefix: str = "") -> Iterator[SelectorPart]:
    text = written.get(name)
    if not text:
        return
    if not isinstance(text, str):
        raise TypeError(f"`{name}` is no text")
    try:
        parsed = parse_selector(text)
    except ValueError as error:
        raise _Flaw(f"its `{name}` `{text.strip()}` cannot be read: {error}") from None
    if prefix == OF_NAMESPACE:
        parsed = rewritten(parsed, prefix, _IN_A_NAMESPACE, Negated(_IN_A_NAMESPACE))
    elif prefix:
        parsed = rewritten(parsed, prefix)
    yield SelectorPart(name, parsed, text, (*field, name))


def _rules(rules: Any, own: str, field: Path) -> Iterator[CalicoRule]:
    for n, rule in enumerate(rules or ()):
        here = (*field, n)
        action = rule.get("action")
        if action not in _ACTIONS:
            raise _Flaw(f"its {field[-1]} rule {n} has the action `{action}`, none of {', '.join(_ACTIONS)}")
        version = rule.get("ipVersion")
        yield CalicoRule(
            index=n,
            action=action,
            ip_version=None if version is None else int(version),
            protocol=_protocol(rule.get("protocol")),
            not_protocol=_protocol(rule.get("notProtocol")),
            icmp=bool(rule.get("icmp")),
            http=bool(rule.get("http")),
            source=_entity(rule.get("source") or _EMPTY, own, (*here, "source")),
            destination=_entity(rule.get("destination") or _EMPTY, own, (*here, "destination")),
            field=here,
        )


def _protocol(written: Any) -> int | None:
    if written is None:
        return None
    text = str(written).lower()
    number = _PROTOCOLS.get(text) or (int(text) if text.isascii() and text.isdigit() else None)
    if number is None:
        raise _Flaw(f"`{written}` is no protocol")
    return number


def _entity(entity: Mapping[str, Any], own: str, field: Path) -> EntityRule:
    accounts = entity.get("serviceAccounts") or _EMPTY
    parts = [*_accounts(accounts, (*field, "serviceAccounts")), *_part("selector", entity, field)]
    namespaces = list(_part("namespaceSelector", entity, field, OF_NAMESPACE))
    excluded = next(_part("notSelector", entity, field), None)
    if own and not namespaces and (parts or excluded is not None):
        alone = SelectorPart("namespace", LabelTest(NAMESPACE, "==", (own,)), f"endpoints of namespace {own}", field)
        namespaces = [alone]
    selectors = (*namespaces, *parts)
    if selectors and excluded is not None:  # what is meant is then one endpoint, or one set, that all of this holds for
        one = SelectorPart(excluded.name, Negated(excluded.expression), f"not {excluded.wanted}", excluded.field)
        selectors, excluded = (*selectors, one), None
    service = entity.get("services")
    return EntityRule(
        selectors=selectors,
        excluded=excluded,
        nets=tuple(_nets(entity.get("nets"))),
        not_nets=tuple(_nets(entity.get("notNets"))),
        ports=tuple(_ports(entity.get("ports"), (*field, "ports"))),
        not_ports=tuple(_ports(entity.get("notPorts"), (*field, "notPorts"))),
        service=(str(service.get("namespace") or own), str(service.get("name") or "")) if service else None,
        unread=next((name for name in ("domains", "endpointSelector") if entity.get(name)), ""),
        field=field,
    )


def _nets(nets: Any) -> Iterator[str]:
    from ipaddress import ip_network

    for net in nets or ():
        if not isinstance(net, str):
            raise TypeError("an address block is no text")
        try:
            ip_network(net, strict=False)
        except ValueError:
            raise _Flaw(f"`{net}` is no address block") from None
        yield net


def _accounts(accounts: Mapping[str, Any], field: Path) -> Iterator[SelectorPart]:
    yield from _part("selector", accounts, field, OF_ACCOUNT)
    names = accounts.get("names")
    if names:
        test = LabelTest(SERVICE_ACCOUNT, "in", tuple(map(str, names)))
        yield SelectorPart("serviceAccounts", test, f"service account {' or '.join(test.values)}", (*field, "names"))


def _ports(ports: Any, field: Path) -> Iterator[CalicoPort]:
    for n, port in enumerate(ports or ()):
        found = _SPAN.fullmatch(str(port))
        if found is None:
            yield CalicoPort(0, 0, str(port), (*field, n))
            continue
        low, high = int(found.group(1)), int(found.group(2) or found.group(1))
        if high > 65535 or low > high:
            raise _Flaw(f"`{port}` is no range of ports")
        yield CalicoPort(low, high, "", (*field, n))


def decode_tier(value: Mapping[str, Any], meta: Meta) -> CalicoTier:
    """A Tier; without a default action it denies."""
    spec = value.get("spec") or _EMPTY
    order = spec.get("order")
    return CalicoTier(meta, None if order is None else float(order), spec.get("defaultAction") == PASS)


def decode_network_set(value: Mapping[str, Any], meta: Meta) -> NetworkSet:
    """A NetworkSet or a GlobalNetworkSet."""
    spec = value.get("spec") or _EMPTY
    return NetworkSet(meta, texts(meta.labels), tuple(map(str, spec.get("nets") or ())), bool(spec.get("allowedEgressDomains")))
