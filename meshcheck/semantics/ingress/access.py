"""Addresses at ingress-nginx: which one is compared, and with which lists.

Sources: kubernetes/ingress-nginx:internal/ingress/annotations/{ipallowlist,ipdenylist}, rootfs/etc/nginx/template/nginx.tmpl (real_ip);
nginx/nginx:src/http/modules/ngx_http_realip_module.c, src/http/ngx_http_core_module.c:ngx_http_get_forwarded_addr.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from meshcheck.model.ingress import Ingress
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.addresses import Address, Block, parse_address, parse_block
from meshcheck.semantics.ingress.annotations import name_in_use, note
from meshcheck.semantics.ingress.controller import Controller


class Compared(NamedTuple):
    """The address that lists are compared with; empty when it is not known."""

    address: str
    why: str


def compared(controller: Controller, peer: str, why: str, source_ip: str | None, headers: Mapping[str, Sequence[str]]) -> Compared:
    """What `allow` and `deny` see."""
    by_header, by_protocol = controller.on("use-forwarded-headers"), controller.on("use-proxy-protocol")
    if not by_header and not by_protocol and not controller.on("enable-real-ip"):
        return Compared(peer, why)
    trusted = [b for text in (controller.text("proxy-real-ip-cidr") or "0.0.0.0/0").split(",") if (b := parse_block(text.strip()))]
    believed = _holds(trusted, peer) if peer else any(block.bits == 32 and block.shift == 32 for block in trusted)
    if not believed:
        return Compared(peer, why)
    if by_protocol and not by_header:
        return Compared(source_ip or "", "the address of the PROXY protocol")
    if by_protocol and not (source_ip and _holds(trusted, source_ip)):
        return Compared(source_ip or "", "the address of the PROXY protocol, which proxy-real-ip-cidr does not trust")
    name = (controller.text("forwarded-for-header") or "X-Forwarded-For").lower()
    address, words = peer, why
    entries = [part.strip() for line in headers.get(name, ()) for part in line.split(",") if part.strip()]
    for entry in reversed(entries):
        found = _without_port(entry)
        if parse_address(found) is None:
            break
        address, words = found, f"the client's address from {controller.text('forwarded-for-header') or 'X-Forwarded-For'}"
        if not _holds(trusted, found):
            break
    return Compared(address, words)


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if re.fullmatch(r"[0-9.]+:[0-9]+", text) else text


def _address(text: str) -> Address | None:
    """An address; one of IPv4 that is written as IPv6 counts as what it is."""
    found = parse_address(text)
    return Address(32, found.number & 0xFFFFFFFF) if found is not None and found.bits == 128 and found.number >> 32 == 0xFFFF else found


def _holds(blocks: Iterable[Block], text: str) -> bool:
    address = _address(text)
    return address is not None and any(block.holds(address) for block in blocks)


class Lists(NamedTuple):
    """Lists of one location: deny goes first, then allow, then all others are refused if there is an allow list."""

    deny: tuple[str, ...]
    allow: tuple[str, ...]
    annotation: str
    """The one that lets in, else the one that keeps out; empty where the ConfigMap says it."""


def lists_of(controller: Controller, ingress: Ingress | None) -> Lists:
    """The lists that count for a location: the annotations of its Ingress, else the ConfigMap's."""
    if ingress is None:
        return Lists(_split(controller.text("block-cidrs")), (), "")
    deny, allow = note(ingress, "denylist-source-range"), note(ingress, "allowlist-source-range")
    denied = _split(deny if deny is not None else controller.text("denylist-source-range"))
    allowed = _split(allow if allow is not None else controller.text("whitelist-source-range"))
    if not denied and not allowed:
        return Lists(_split(controller.text("block-cidrs")), (), "")
    by = name_in_use(ingress, "allowlist-source-range") if allow is not None else "denylist-source-range" if deny is not None else ""
    return Lists(denied, allowed, by)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def admits(lists: Lists, address: str) -> bool | None:
    """Whether lists let an address in; None when it is not known and matters."""
    if not lists.deny and not lists.allow:
        return True
    parsed = _address(address) if address else None
    if parsed is None:
        every = [b for text in lists.allow if (b := parse_block(text)) is not None and b.shift == b.bits]
        return True if not lists.deny and {b.bits for b in every} == {32, 128} else None
    if any(b.holds(parsed) for text in lists.deny if (b := parse_block(text)) is not None):
        return False
    return not lists.allow or any(b.holds(parsed) for text in lists.allow if (b := parse_block(text)) is not None)
