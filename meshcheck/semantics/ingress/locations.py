"""The location of nginx that takes a path of a host.

Source: nginx/nginx:src/http/ngx_http_core_module.c:ngx_http_core_find_location; kubernetes/ingress-nginx:internal/ingress/controller/
template/template.go (buildLocation, enforceRegexModifier, buildProxyPass).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from meshcheck.semantics.ingress.servers import Place, Server
from meshcheck.semantics.nginx.patterns import search


class Undecided(Exception):
    """A regular expression whose meaning is not known here; the words are a fact that is missing."""


def place_of(server: Server, path: str, denied: Callable[[Place], bool]) -> tuple[Place | None, bool]:
    """The location for a path (normalised), and whether nginx answers 301 because only the slash at the end is missing.

    `denied` locations have no `proxy_pass`, so they do not redirect. None: no regular expression matches.
    Raises Undecided.
    """
    if server.is_regex:
        return next((place for place in server.places if _matches("^" + place.path, path)), None), False
    exact = next((place for place in server.places if place.kind == "Exact" and place.path == path), None)
    if exact is not None:
        return exact, False
    slashed = next((place for place in server.places if place.path == path + "/" and not denied(place)), None)
    if slashed is not None and path:
        return slashed, True
    prefixes = [place for place in server.places if place.kind == "Prefix" and path.startswith(place.path)]
    return (max(prefixes, key=lambda place: len(place.path)) if prefixes else None), False


def _matches(pattern: str, path: str) -> re.Match[str] | None:
    found = search(pattern, path, caseless=True)
    if isinstance(found, bool):
        raise Undecided(f"whether `{path}` matches `{pattern}`: this regular expression is left to nginx")
    return found


def rewritten(place: Place, path: str) -> str | None:
    """The path after `rewrite-target`; None when it stays as it was sent. Raises Undecided."""
    target = place.rewrites
    if not target or target == place.path:
        return None
    match = _matches(place.path, path)
    if match is None:
        return None
    groups = match.groups()
    return re.sub(r"\$(\d)", lambda m: (groups[int(m[1]) - 1] or "") if 0 < int(m[1]) <= len(groups) else "", target)
