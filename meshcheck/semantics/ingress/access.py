"""Addresses at ingress-nginx: which one is compared, and with which lists.

Source: kubernetes/ingress-nginx:internal/ingress/annotations/{ipallowlist,ipdenylist}, rootfs/etc/nginx/template/nginx.tmpl (real_ip).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from meshcheck.model.ingress import Ingress
from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.entry.client import forwarded_for
from meshcheck.semantics.ingress.controller import Controller
from meshcheck.semantics.ingress.objects import note


class Compared(NamedTuple):
    """The address that lists are compared with; empty when it is not known."""

    address: str
    why: str


def compared(controller: Controller, peer: str, why: str, source_ip: str | None, headers: Mapping[str, Sequence[str]]) -> Compared:
    """What `allow` and `deny` see."""
    address, words = peer, why
    if controller.on("use-proxy-protocol"):
        address, words = source_ip or "", "the address of the PROXY protocol"
    if controller.on("use-forwarded-headers") or controller.on("enable-real-ip"):
        trusted = [b for text in (controller.text("proxy-real-ip-cidr") or "0.0.0.0/0").split(",") if (b := parse_block(text.strip()))]
        entries = forwarded_for(headers) if controller.text("forwarded-for-header") in ("", "X-Forwarded-For") else []
        for entry in reversed(entries):
            parsed = parse_address(address) if address else None
            if address and (parsed is None or not any(block.holds(parsed) for block in trusted)):
                break
            if parse_address(entry) is None:
                break
            address, words = entry, "the client's address from X-Forwarded-For"
    return Compared(address, words)


class Lists(NamedTuple):
    """Lists of one location: deny goes first, then allow, then all others are refused if there is an allow list."""

    deny: tuple[str, ...]
    allow: tuple[str, ...]
    allow_name: str
    broken: str | None
    """An entry that is no CIDR, or an empty list: the location answers 503."""


def lists_of(controller: Controller, ingress: Ingress) -> Lists:
    """The lists that count for a location of an Ingress: its annotations, else the ConfigMap's."""
    deny, allow = note(ingress, "denylist-source-range"), note(ingress, "allowlist-source-range")
    name = "allowlist-source-range"
    if not allow and note(ingress, "whitelist-source-range"):
        allow, name = note(ingress, "whitelist-source-range"), "whitelist-source-range"
    broken = None
    if allow is not None and not allow.strip():
        broken = f"annotation {name} is empty"
    denied = _split(deny if deny is not None else controller.text("denylist-source-range"))
    allowed = _split(allow if allow is not None else controller.text("whitelist-source-range"))
    for text in (*denied, *allowed):
        if parse_block(text) is None:
            broken = f"`{text}` is no CIDR"
    if not denied and not allowed and broken is None:
        denied = _split(controller.text("block-cidrs"))
    return Lists(denied, allowed, name, broken)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def admits(lists: Lists, address: str) -> bool | None:
    """Whether lists let an address in; None when it is not known and matters."""
    if not lists.deny and not lists.allow:
        return True
    parsed = parse_address(address) if address else None
    if parsed is None:
        return None
    if any(b.holds(parsed) for text in lists.deny if (b := parse_block(text)) is not None):
        return False
    return not lists.allow or any(b.holds(parsed) for text in lists.allow if (b := parse_block(text)) is not None)
