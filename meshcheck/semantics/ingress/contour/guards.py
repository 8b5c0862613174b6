"""Contour: what keeps calls out, level by level.

Source: projectcontour/contour:internal/dag/httpproxy_processor.go, internal/envoy/v3/{rbac,route}.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from meshcheck.model.foreign import Foreign
from meshcheck.model.objects import Path
from meshcheck.model.trace import Station, Symptom
from meshcheck.semantics.ingress.contour.validity import is_block
from meshcheck.semantics.ingress.others.asked import Asked
from meshcheck.semantics.world.world import World

Item = Mapping[str, Any]
Level = tuple[Foreign, Path, Item]
FORBIDDEN = Symptom("http", 403, "RBAC: access denied")


def trusted_hops(world: World) -> int:
    """`network.num-trusted-hops` of Contour's configuration file."""
    found = world.config_map("projectcontour", "contour")
    text = str((found[1] if found is not None else {}).get("contour.yaml") or "")
    written = re.search(r"^\s+num-trusted-hops:\s*(\d+)", text, re.MULTILINE)
    return int(written[1]) if written else 0


def addresses(asked: Asked, root: Foreign, host: Item, route: Level | None) -> list[Station]:
    """The list of addresses that counts: a route's own, else that of its host."""
    level: Level = (root, ("spec", "virtualhost"), host)
    if route is not None and any(map(is_block, route[2].get("ipAllowPolicy") or route[2].get("ipDenyPolicy") or ())):
        level = route
    proxy, field, item = level
    key = "ipAllowPolicy" if item.get("ipAllowPolicy") else "ipDenyPolicy"
    entries = [entry for entry in item.get(key) or () if is_block(entry)]
    hops = trusted_hops(asked.world)
    out = []
    for source in ("Peer", "Remote"):
        blocks = [str(e["cidr"]) for e in entries if (e.get("source") == "Remote") == (source == "Remote")]
        address = asked.forwarded(hops) or asked.peer if source == "Remote" and hops else None
        allow, deny = (blocks, []) if key == "ipAllowPolicy" else ([], blocks)
        out.append(asked.listed("access", proxy.meta, (*field, key), FORBIDDEN, allow=allow, deny=deny, address=address))
    found = [station for station in out if station is not None]
    if key == "ipAllowPolicy" and any(station.verdict == "allowed" for station in found):
        return [station for station in found if station.verdict == "allowed"]  # one entry that lets in is enough
    return found


def credentials(asked: Asked, root: Foreign, host: Item, proxy: Foreign, field: Path, route: Item) -> list[Station]:
    """Tokens, then the authorization server. Both are only asked where TLS ends."""
    out: list[Station] = []
    policy: Item = route.get("jwtVerificationPolicy") or {}
    providers = {str(p.get("name")) for p in host.get("jwtProviders") or ()}
    default = next((str(p.get("name")) for p in host.get("jwtProviders") or () if p.get("default")), None)
    required = None if policy.get("disabled") else policy.get("require") or default
    if route and required in providers:
        at = (*field, "jwtVerificationPolicy")
        if asked.has("authorization"):
            out.append(asked.unknown("request-authentication", "whether the token is accepted", proxy.meta, at))
        else:
            return [asked.denied("request-authentication", "Jwt is missing", proxy.meta, at, Symptom("http", 401, "Jwt is missing"))]
    server: Item | None = host.get("authorization")
    own: Item | None = route.get("authPolicy")
    disabled = (own if own is not None else (server or {}).get("authPolicy") or {}).get("disabled")
    if server and not disabled:
        out.append(asked.unknown("custom", "what the authorization server answers", root.meta, ("spec", "virtualhost", "authorization")))
    return out
