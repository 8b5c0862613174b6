"""Contour: HTTPProxy.

Source: projectcontour/contour:internal/dag/httpproxy_processor.go, internal/envoy/v3/{rbac,route}.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.foreign import Foreign
from meshcheck.model.objects import Path
from meshcheck.model.trace import Station, Symptom
from meshcheck.semantics.ingress.others.asked import Asked

FORBIDDEN = Symptom("http", 403, "RBAC: access denied")


def route_of(proxy: Foreign, path: str) -> tuple[int, Mapping[str, Any]] | None:
    """The route with the longest prefix of whole segments; conditions on headers are not looked at here."""
    best: tuple[int, int, Mapping[str, Any]] | None = None
    for n, route in enumerate(proxy.spec.get("routes") or ()):
        prefix = "/"
        for condition in route.get("conditions") or ():
            prefix = condition.get("prefix") or condition.get("exact") or prefix
        fits = prefix == "/" or path == prefix.rstrip("/") or path.startswith(prefix.rstrip("/") + "/")
        if fits and (best is None or len(prefix) > best[0]):
            best = len(prefix), n, route
    return (best[1], best[2]) if best else None


def _prefix(item: Mapping[str, Any]) -> str:
    """The path prefix of a route or an include; `/` without one."""
    return next((c.get("prefix") or c["exact"] for c in item.get("conditions") or () if c.get("prefix") or c.get("exact")), "/")


def is_included(proxy: Foreign, path: str, route: Mapping[str, Any] | None) -> bool:
    """Whether another HTTPProxy that a root includes takes a path: its prefix is longer than that of the root's own route."""
    for include in proxy.spec.get("includes") or ():
        prefix = _prefix(include)
        fits = prefix == "/" or path == prefix.rstrip("/") or path.startswith(prefix.rstrip("/") + "/")
        if fits and (route is None or len(prefix) > len(_prefix(route))):
            return True
    return False


def stations(asked: Asked, proxy: Foreign, number: int, route: Mapping[str, Any]) -> list[Station]:
    """The settings that refuse; a route's list of addresses replaces the virtual host's."""
    host = proxy.spec.get("virtualhost") or {}
    out: list[Station | None] = []
    level: tuple[Mapping[str, Any], Path] = (host, ("spec", "virtualhost"))
    if route.get("ipAllowPolicy") or route.get("ipDenyPolicy"):
        level = (route, ("spec", "routes", number))
    for key, allows in (("ipAllowPolicy", True), ("ipDenyPolicy", False)):
        entries = level[0].get(key) or ()
        if entries:
            remote = any(e.get("source") == "Remote" for e in entries)
            address = asked.forwarded(1) or asked.peer if remote else None
            blocks = [str(e.get("cidr")) for e in entries]
            out.append(
                asked.listed(
                    "access",
                    proxy.meta,
                    (*level[1], key),
                    FORBIDDEN,
                    allow=blocks if allows else (),
                    deny=() if allows else blocks,
                    address=address,
                )
            )
    if host.get("authorization") and not (route.get("authPolicy") or {}).get("disabled"):
        out.append(asked.unknown("custom", "what the authorization server answers", proxy.meta, ("spec", "virtualhost", "authorization")))
    if route.get("jwtVerificationPolicy") and not (route["jwtVerificationPolicy"] or {}).get("disabled"):
        field: Path = ("spec", "routes", number, "jwtVerificationPolicy")
        if asked.has("authorization"):
            out.append(asked.unknown("request-authentication", "whether the token is accepted", proxy.meta, field))
        else:
            out.append(asked.denied("request-authentication", "Jwt is missing", proxy.meta, field, Symptom("http", 401, "Jwt is missing")))
    return [s for s in out if s is not None]
