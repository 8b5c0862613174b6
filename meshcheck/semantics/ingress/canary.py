"""Canaries: a share of the calls to a Service goes to another one, by header, cookie or weight.

Source: kubernetes/ingress-nginx:internal/ingress/controller/controller.go:mergeAlternativeBackends,
rootfs/etc/nginx/lua/balancer.lua:route_to_alternative_balancer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from meshcheck.model.ingress import Backend, Ingress, IngressPath
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.ingress.annotations import number, text
from meshcheck.semantics.ingress.controller import Controller
from meshcheck.semantics.ingress.objects import served
from meshcheck.semantics.ingress.servers import ANY, Server, servers_of
from meshcheck.semantics.ingress.upstreams import Key, is_canary, taken_by_canaries
from meshcheck.semantics.world.world import World


class Canary(NamedTuple):
    """An Ingress that takes a share, and where it leads."""

    ingress: Ingress
    backend: Backend


class Shares(NamedTuple):
    """The canaries of all upstreams, and the upstreams that nothing is left of."""

    canaries: Mapping[Key, Canary]
    lost: frozenset[Key]
    """A canary that finds no location to share takes its own upstream away, also from those who lead there without it."""


def shares_of(world: World, controller: Controller) -> Shares:
    """Which upstreams share their calls, and with whom: the first that finds one of its locations; others are not used."""
    return world.once(("canaries", id(controller.workload)), lambda: _shares(served(world, controller)[0], servers_of(world, controller)))


def _shares(ingresses: Sequence[Ingress], servers: Mapping[str, Server]) -> Shares:
    taken = taken_by_canaries(ingresses)
    first: dict[Key, Key] = {}
    lost: set[Key] = set()
    canaries = [ingress for ingress in ingresses if is_canary(ingress)]
    for ingress in canaries if len(canaries) < len(ingresses) else ():
        asked: list[tuple[str, IngressPath | None, Backend | None]] = [(ANY, None, ingress.default_backend)]
        asked += [(rule.host or ANY, item, item.backend) for rule in ingress.rules for item in rule.paths]
        for host, item, backend in asked:
            if backend is None or host not in servers:
                continue
            share = ingress.meta.namespace, backend
            if share not in lost and not _merged(share, item, servers[host], taken, lost, first):
                lost.add(share)
    found = {whole: Canary(taken[share], share[1]) for whole, share in first.items() if share in taken and share not in lost}
    return Shares(found, frozenset(lost))


def _merged(
    share: Key, item: IngressPath | None, server: Server, taken: Mapping[Key, Ingress], lost: Collection[Key], first: dict[Key, Key]
) -> bool:
    """Whether an upstream stays: a location of the host leads there, or has the path and shares its calls with it."""
    merged = False
    for place in server.written:
        if place.ingress is None or place.backend is None:
            continue
        whole = place.ingress.meta.namespace, place.backend
        if whole == share:
            return True
        if whole in lost or whole in taken:
            continue
        kind = "Exact" if item is not None and item.kind == "Exact" else "Prefix"
        if item is None or (place.path == item.path and place.kind == kind):
            merged = True
            first.setdefault(whole, share)
    return merged


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
