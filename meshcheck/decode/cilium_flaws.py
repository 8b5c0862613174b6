"""What Cilium refuses of a policy that the API server takes: it leaves the whole policy aside then.

Source: cilium/cilium:pkg/policy/api/rule_validation.go (Sanitize), pkg/iana/svcname.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from meshcheck.model.cilium import CidrGroupPeer, CidrPeer, CiliumPeer, CiliumPorts, CiliumRule, EntityPeer, HttpRule, NamePeer, UnreadPeer
from meshcheck.model.network_policy import EGRESS
from meshcheck.model.pattern import pattern

NODES = "nodes by their labels"
_ENTITIES = frozenset(
    (
        *("all", "world", "world-ipv4", "world-ipv6", "cluster", "cluster-mesh", "host", "init", "ingress", "unmanaged"),
        *("remote-node", "health", "none", "kube-apiserver"),
    )
)
_PORT_NAME = pattern(r"(?=.{1,15}$)(?!.*--)(?=.*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
_LAST = 65535


def is_port_name(text: str) -> bool:
    """Whether a text is the name of a port (IANA's form), not a number."""
    return _PORT_NAME.fullmatch(text) is not None


def of_subject(subject: Any, nodes: Any, clusterwide: bool) -> str | None:
    """Why a spec is about nobody."""
    if (subject is None) == (nodes is None):
        return "it needs one of endpointSelector and nodeSelector"
    return "nodeSelector belongs into a CiliumClusterwideNetworkPolicy" if nodes is not None and not clusterwide else None


def of_rule(rule: CiliumRule) -> str | None:
    """Why a rule makes Cilium leave the policy aside."""
    kinds = dict.fromkeys(str(peer.field[-2]) for peer in rule.peers or ())
    if len(kinds) > 1:
        return f"{' and '.join(kinds)} stand in one rule"
    if "icmps beside toPorts" in rule.unread:
        return "icmps and toPorts stand in one rule"
    found = (_of_peer(peer, rule) for peer in rule.peers or ())
    return next(filter(None, (*found, *(_of_ports(entry, rule) for entry in rule.ports or ()))), None)


def _of_peer(peer: CiliumPeer, rule: CiliumRule) -> str | None:
    if isinstance(peer, UnreadPeer) and peer.what == NODES:
        return f"{peer.field[-2]} needs its setting `enable-node-selector-labels`"
    if isinstance(peer, EntityPeer) and peer.name not in _ENTITIES:
        return f"there is no entity `{peer.name}`"
    if isinstance(peer, CidrPeer):
        return _of_blocks(peer.cidr, peer.excepts)
    if isinstance(peer, CidrGroupPeer) and not peer.name and peer.selector is None:
        return "an entry of a CIDR set names no CIDR and no group"
    if isinstance(peer, NamePeer) and rule.denies:
        return "a rule that denies cannot name hosts outside"
    return _of_names((peer,)) if isinstance(peer, NamePeer) else None


def _of_blocks(cidr: str, excepts: Iterable[str]) -> str | None:
    from ipaddress import ip_network  # few policies name addresses

    text = cidr
    try:
        block = ip_network(cidr, strict=False)
        for text in excepts:
            inner = ip_network(text, strict=False)
            if inner.version != block.version or not inner.subnet_of(block):  # type: ignore[arg-type]
                return f"`{text}` is excepted from `{cidr}`, and not inside of it"
    except ValueError:
        return f"`{text}` is no block of addresses"
    return None


def _of_names(names: Iterable[NamePeer]) -> str | None:
    for one in names:
        if one.name and one.pattern:
            return "a name outside needs one of matchName and matchPattern"
        if not re.fullmatch(r"[-a-zA-Z0-9_.*]*" if one.pattern else r"[-a-zA-Z0-9_.]*", one.name or one.pattern):
            return f"`{one.name or one.pattern}` has characters that names have not"
    return None


def _of_ports(entry: CiliumPorts, rule: CiliumRule) -> str | None:
    looks_inside = entry.http or entry.dns
    if rule.denies and looks_inside:
        return "a rule that denies cannot look at requests"
    if entry.dns and not rule.section.startswith(EGRESS):
        return "rules for DNS belong to egress"
    if entry.http and entry.dns:
        return "rules for HTTP and DNS stand in one entry"
    if len(entry.ports) > 40:
        return "an entry has more than 40 ports"
    if any(span.low > _LAST for span in entry.ports):
        return "a port is neither a number of a port nor the name of one"
    if entry.http and any(span.protocol != "TCP" for span in entry.ports):
        return "rules for HTTP need protocol TCP"
    if looks_inside and any(span.name is None and span.low == 0 for span in entry.ports):
        return "rules for requests need a port"
    return _of_names(entry.dns) or next(filter(None, map(_of_http, entry.http)), None)


def _of_http(rule: HttpRule) -> str | None:
    for text in (rule.method, rule.path):
        try:
            re.compile(text)
        except re.error as error:
            return f"`{text}` is no regular expression ({error})"
        if re.search(r"\(\?(?:[=!]|<[=!])|\\[1-9]", text):
            return f"`{text}` looks ahead or back, which RE2 does not know"
    return None
