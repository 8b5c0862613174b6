"""The routes of a host: those of its root and of what it includes, in the order in which Envoy asks them.

Source: projectcontour/contour:internal/dag/httpproxy_processor.go:computeRoutes, internal/sorter/sorter.go (routeSorter).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from meshcheck.model.foreign import Foreign
from meshcheck.model.istio_networking import HttpMatch
from meshcheck.model.objects import Path
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.ingress.contour.conditions import Condition, flaw, merged
from meshcheck.semantics.ingress.contour.validity import addresses_flaw, host_of, is_served
from meshcheck.semantics.world.world import World

Item = Mapping[str, Any]
_ORDER = {"exact": 0, "regex": 1, "prefix": 2}
_ACTIONS = ("services", "requestRedirectPolicy", "directResponsePolicy")


class Route(NamedTuple):
    """One route, or the 502 of an include that leads nowhere."""

    proxy: Foreign
    field: Path
    item: Item
    match: HttpMatch
    lost: str = ""
    """Why the include leads nowhere; empty for a route."""


def routes_of(world: World, root: Foreign) -> list[Route]:
    """All routes of a root. Of two with the same conditions the later one counts."""
    return world.once(("contour", id(root)), lambda: _sorted(_computed(world, root, root, (), ())))


def _sorted(found: Sequence[Route]) -> list[Route]:
    last = {(r.match.path, r.match.authority, r.match.headers, r.match.without_headers, r.match.query): r for r in found}
    routes = sorted(last.values(), key=lambda r: r.match.path.value if r.match.path else "", reverse=True)
    return sorted(routes, key=_rank)


def _rank(route: Route) -> tuple[int, int, bool, int, int]:
    path, headers = route.match.path, (*route.match.headers, *route.match.without_headers)
    assert path is not None
    plain = [name for name, _ in headers if name != ":method"]
    count = len(plain) + (route.match.authority is not None)
    return _ORDER[path.kind], -len(path.value), len(plain) == len(headers), -count, -len(route.match.query)


def _computed(world: World, root: Foreign, proxy: Foreign, conditions: tuple[Condition, ...], visited: tuple[Foreign, ...]) -> list[Route]:
    if any(v is proxy for v in visited):
        return []
    out = list(_included(world, root, proxy, conditions, (*visited, proxy)))
    for n, item in enumerate(proxy.spec.get("routes") or ()):
        own = tuple(item.get("conditions") or ())
        match = merged((*conditions, *own), host_of(root) or "")
        if flaw(own) or _flaw_of_all((*conditions, *own)) or _flaw_of_action(item, match) or addresses_flaw(item):
            return []  # one wrong route takes all routes and includes of its HTTPProxy away
        out.append(Route(proxy, ("spec", "routes", n), item, match))
    return out


def _flaw_of_action(item: Item, match: HttpMatch) -> str | None:
    """What is wrong with what a route does."""
    if sum(bool(item.get(key)) for key in _ACTIONS) != 1:
        return "it needs one of services, requestRedirectPolicy and directResponsePolicy"
    redirect = item.get("requestRedirectPolicy") or {}
    if redirect.get("path") and redirect.get("prefix"):
        return "a redirect has a path or a prefix"
    prefixes = [str(r.get("prefix") or "") for r in (item.get("pathRewritePolicy") or {}).get("replacePrefix") or ()]
    if prefixes and (match.path is None or match.path.kind != "prefix"):
        return "replacePrefix needs a prefix condition"
    return "replacePrefix names a prefix twice" if len(set(prefixes)) < len(prefixes) else None


def _flaw_of_all(conditions: Sequence[Condition]) -> str | None:
    """Contradictions between a route's conditions and those of the includes before it; paths are put together, not compared."""
    return flaw([{key: value for key, value in c.items() if key not in ("prefix", "exact", "regex")} for c in conditions])


def _included(
    world: World, root: Foreign, proxy: Foreign, conditions: tuple[Condition, ...], visited: tuple[Foreign, ...]
) -> Iterator[Route]:
    table = {(p.meta.namespace, p.meta.name): p for p in world.inventory.of("HTTPProxy") if is_served(p)}
    seen: set[object] = set()
    for n, include in enumerate(proxy.spec.get("includes") or ()):
        own = tuple(include.get("conditions") or ())
        if flaw(own, include=True):
            continue
        match = merged(own, "")
        key = match.path, frozenset(match.headers), frozenset(match.without_headers), frozenset(match.query)
        plain = match.path is not None and match.path.value == "/" and not (match.headers or match.without_headers or match.query)
        if key in seen and not plain:
            continue
        seen.add(key)
        space, name = include.get("namespace") or proxy.meta.namespace, include.get("name") or ""
        found = table.get((space, name))
        if found is None or host_of(found) is not None:
            why = "does not exist" if found is None else "is a root itself"
            if own:
                yield Route(proxy, ("spec", "includes", n), include, match, f"HTTPProxy {space}/{name} {why}")
            continue
        yield from _computed(world, root, found, (*conditions, *own), visited)
