"""Canaries: a share of the calls to a Service goes to another one, by header, cookie or weight.

Source: kubernetes/ingress-nginx:internal/ingress/controller/controller.go:mergeAlternativeBackends,
rootfs/etc/nginx/lua/balancer.lua:route_to_alternative_balancer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from meshcheck.model.ingress import Backend, Ingress
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.ingress.annotations import number, text
from meshcheck.semantics.ingress.servers import ANY, Server, is_canary


class Canary(NamedTuple):
    """An Ingress that takes a share, and where it leads."""

    ingress: Ingress
    backend: Backend


def canary_of(ingresses: Sequence[Ingress], servers: Mapping[str, Server], namespace: str, backend: Backend) -> Canary | None:
    """The canary of a Service: the first with the host, the path and the type of one of its locations. Others are not used."""
    for ingress in ingresses:
        if not is_canary(ingress):
            continue
        asked = [(rule.host or ANY, item.path, item.kind == "Exact", item.backend) for rule in ingress.rules for item in rule.paths]
        if ingress.default_backend is not None:
            asked.insert(0, (ANY, "", False, ingress.default_backend))
        for host, path, exact, found in asked:
            if found is None or host not in servers or (found == backend and ingress.meta.namespace == namespace):
                continue
            for place in servers[host].places:
                mine = place.ingress is not None and place.ingress.meta.namespace == namespace and place.backend == backend
                written = place.item.path if place.item is not None else "/"
                was_exact = place.item is not None and place.item.kind == "Exact"
                if mine and (not path or (written == path and was_exact == exact)):
                    return Canary(ingress, found)
    return None


def takes(canary: Canary, headers: Mapping[str, Sequence[str]]) -> bool | None:
    """Whether a call goes to the canary; None when it is a matter of chance."""
    ingress = canary.ingress
    given = headers.get((text(ingress, "canary-by-header") or "").lower())
    if given is not None:
        value = ", ".join(given)
        exact, pattern = text(ingress, "canary-by-header-value"), text(ingress, "canary-by-header-pattern")
        if exact:
            if exact == value:
                return True
        elif pattern:
            try:
                if re.search(pattern, value):
                    return True
            except re.error:
                return False
        elif value in ("always", "never"):
            return value == "always"
    cookie = _cookie(headers, text(ingress, "canary-by-cookie") or "")
    if cookie in ("always", "never"):
        return cookie == "always"
    weight, total = number(ingress, "canary-weight", 0), max(100, number(ingress, "canary-weight-total", 100))
    return None if 0 < weight < total else weight > 0


def _cookie(headers: Mapping[str, Sequence[str]], name: str) -> str:
    for line in headers.get("cookie", ()) if name else ():
        for part in line.split(";"):
            key, equals, value = part.strip().partition("=")
            if equals and key == name:
                return value
    return ""
