"""The location of nginx that takes a path of a host.

Source: nginx/nginx:src/http/ngx_http_core_module.c:ngx_http_core_find_location; kubernetes/ingress-nginx:internal/ingress/controller/
template/template.go (buildLocation, enforceRegexModifier, buildProxyPass).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from meshcheck.semantics.ingress.servers import Place, Server


def normalised(path: str) -> str:
    """The path as nginx compares it: decoded, slashes merged, dots resolved."""
    out: list[str] = []
    text = re.sub(r"/+", "/", unquote(path))
    parts = text.split("/")[1:]
    for part in parts:
        if part == "..":
            out = out[:-1]
        elif part != ".":
            out.append(part)
    if parts and parts[-1] in (".", ".."):
        out.append("")
    return "/" + "/".join(out)


def place_of(server: Server, path: str, denied: Callable[[Place], bool]) -> tuple[Place | None, bool]:
    """The location for a path (normalised), and whether nginx answers 301 because only the slash at the end is missing.

    `denied` locations have no `proxy_pass`, so they do not redirect. None: no regular expression matches.
    """
    if server.is_regex:
        return next((place for place in server.places if _pattern_matches(place.path, path)), None), False
    exact = next((place for place in server.places if place.kind == "Exact" and place.path == path), None)
    if exact is not None:
        return exact, False
    slashed = next((place for place in server.places if place.path == path + "/" and not denied(place)), None)
    if slashed is not None and path:
        return slashed, True
    prefixes = [place for place in server.places if place.kind == "Prefix" and path.startswith(place.path)]
    return (max(prefixes, key=lambda place: len(place.path)) if prefixes else None), False


def _pattern_matches(pattern: str, path: str) -> bool:
    try:
        return re.match(pattern, path, re.IGNORECASE) is not None
    except re.error:
        return False


def rewritten(place: Place, path: str) -> str | None:
    """The path after `rewrite-target`; None when it stays as it was sent."""
    target = place.rewrites
    if not target or target == place.path:
        return None
    try:
        match = re.search(place.path, path, re.IGNORECASE)
    except re.error:
        return None
    if match is None:
        return None
    groups = match.groups()
    return re.sub(r"\$(\d)", lambda m: (groups[int(m[1]) - 1] or "") if 0 < int(m[1]) <= len(groups) else "", target)
