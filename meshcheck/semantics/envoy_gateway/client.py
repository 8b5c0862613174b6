"""Which address counts as the client's: ClientTrafficPolicy.

Source: envoyproxy/gateway:internal/xds/translator/listener.go:originalIPDetectionExtensions, buildXForwardedFor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.entry.client import forwarded_for


def client_address(detection: Mapping[str, Any], peer: str, headers: Mapping[str, Sequence[str]]) -> str:
    """The client's address; empty when it cannot be known."""
    forwarded = detection.get("xForwardedFor")
    if isinstance(forwarded, dict):
        entries = forwarded_for(headers)
        hops = forwarded.get("numTrustedHops")
        if isinstance(hops, int) and hops > 0:
            return entries[-hops] if len(entries) >= hops and parse_address(entries[-hops]) is not None else peer
        blocks = [block for text in forwarded.get("trustedCIDRs") or () if (block := parse_block(str(text))) is not None]
        if blocks:
            return _past_trusted(blocks, peer, entries)
    custom = detection.get("customHeader")
    if isinstance(custom, dict):
        lines = headers.get(str(custom.get("name") or "").lower(), ())
        return lines[0].strip() if lines and parse_address(lines[0].strip()) is not None else peer
    return peer


def _past_trusted(blocks: list[Any], peer: str, entries: list[str]) -> str:
    """From the right, the first address that is not one of the trusted proxies'."""
    if not peer:
        return ""
    for address in [peer, *reversed(entries)]:
        parsed = parse_address(address)
        if parsed is None or not any(block.holds(parsed) for block in blocks):
            return address
    return entries[0] if entries else peer
