"""The routers of Traefik: one for each route of an IngressRoute and each path of an Ingress. Some are dropped.

Source: traefik/traefik:pkg/provider/kubernetes/{crd/kubernetes_http.go,ingress/kubernetes.go}, pkg/server/router/router.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from meshcheck.model.foreign import Foreign
from meshcheck.model.ingress import Backend, Ingress
from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.addresses import parse_block
from meshcheck.semantics.ingress.traefik.rule import Matcher, Wrong, compiled
from meshcheck.semantics.nginx.patterns import is_wrong
from meshcheck.semantics.tracing.target import of_service
from meshcheck.semantics.world.world import World

_NOTE = "traefik.ingress.kubernetes.io/router."
Item = Mapping[str, Any]


class Router(NamedTuple):
    """One router. `matcher` is None for one that is dropped, and `dropped` says why."""

    meta: Meta
    field: Path
    priority: int
    tls: bool
    entry_points: tuple[str, ...]
    """Empty for all."""
    middlewares: tuple[tuple[str, str], ...]
    backends: tuple[Backend, ...]
    rule: str
    matcher: Matcher | None
    dropped: str = ""


class Provider(NamedTuple):
    """What makes routers of objects. `serves` says which Ingresses are Traefik's; `empty` which kinds may lead to Services without pods."""

    world: World
    serves: Callable[[Ingress], bool]
    empty: frozenset[str]


def routers_of(world: World, serves: Callable[[Ingress], bool], empty: frozenset[str]) -> tuple[Router, ...]:
    """All routers, also those that are dropped."""
    return world.once(("traefik's routers", empty), lambda: tuple(_all(Provider(world, serves, empty))))


def _all(by: Provider) -> Iterator[Router]:
    world = by.world
    for item in world.inventory.of("IngressRoute"):
        if (item.spec.get("ingressClassName") or item.meta.annotations.get("kubernetes.io/ingress.class")) not in (None, "", "traefik"):
            continue
        for n, route in enumerate(item.spec.get("routes") or ()):
            yield _of_route(by, item, n, route)
    for ingress in world.inventory.of("Ingress"):
        if by.serves(ingress):
            yield from _of_ingress(by, ingress)


def _of_route(by: Provider, item: Foreign, n: int, route: Item) -> Router:
    space = item.meta.namespace
    wanted = tuple((str(m.get("namespace") or space), str(m.get("name") or "")) for m in route.get("middlewares") or ())
    services = [s for s in route.get("services") or () if (s.get("kind") or "Service") == "Service"]
    backends = tuple(Backend(str(s.get("name") or ""), s.get("port") or 0) for s in services)
    dropped = "" if (route.get("kind") or "Rule") == "Rule" else f"kind {route['kind']} is not Rule"
    rule = str(route.get("match") or "")
    made = Router(
        item.meta, ("spec", "routes", n), int(route.get("priority") or 0) or len(rule), item.spec.get("tls") is not None,
        tuple(item.spec.get("entryPoints") or ()), wanted, backends, rule, None, dropped,
    )  # fmt: skip
    return _checked(by, "crd", made, {str(s.get("namespace") or space) for s in services} - {space})


def _of_ingress(by: Provider, ingress: Ingress) -> Iterator[Router]:
    notes = ingress.meta.annotations
    tls = notes.get(_NOTE + "tls", "").lower() == "true"  # spec.tls only names certificates
    points = tuple(p.strip() for p in notes.get(_NOTE + "entrypoints", "").split(",") if p.strip())
    wanted = tuple(from_annotation(ingress.meta))
    given = notes.get(_NOTE + "priority", "")
    if not ingress.rules and ingress.default_backend is not None:
        rule = 'PathPrefix("/")'
        made = Router(ingress.meta, ("spec", "defaultBackend"), -(2**31), tls, points, wanted, (ingress.default_backend,), rule, None)
        yield _checked(by, "ingress", made, set())
    for r, host in enumerate(ingress.rules):
        for p, item in enumerate(host.paths):
            if item.backend is None:
                continue
            kind = "Path" if item.kind == "Exact" else notes.get(_NOTE + "pathmatcher") if item.kind == "ImplementationSpecific" else None
            parts = [f'Host("{host.host}")'] if host.host else []
            parts += [f'{kind or "PathPrefix"}("{item.path}")'] if item.path else []
            rule = " && ".join(parts)
            dropped = f"`{kind}` is no path matcher" if kind not in (None, "Path", "PathPrefix", "PathRegexp") else ""
            priority = int(given) if given.lstrip("-").isdigit() and int(given) else len(rule)
            field: Path = ("spec", "rules", r, "http", "paths", p)
            made = Router(ingress.meta, field, priority, tls, points, wanted, (item.backend,), rule, None, dropped)
            yield _checked(by, "ingress", made, set())


def from_annotation(meta: Meta) -> list[tuple[str, str]]:
    """(namespace, name) of `router.middlewares`: entries NAMESPACE-NAME@kubernetescrd."""
    out = []
    for entry in meta.annotations.get(_NOTE + "middlewares", "").split(","):
        text, _, provider = entry.strip().partition("@")
        if text and provider in ("kubernetescrd", ""):
            namespace = meta.namespace if text.startswith(meta.namespace + "-") else text.partition("-")[0]
            out.append((namespace, text[len(namespace) + 1 :]))
    return out


def _checked(by: Provider, kind: str, made: Router, foreign: set[str]) -> Router:
    """A router with its rule read, or the reason for which it is dropped."""
    why = made.dropped or (f"its Service is in namespace {', '.join(sorted(foreign))}" if foreign else "")
    if not why:
        why = next((w for b in made.backends if (w := _lost(by.world, made.meta.namespace, b, kind in by.empty))), "")
    if not why:
        why = next((w for space, name in made.middlewares if (w := unusable(by.world, space, name))), "")
    matcher = None
    try:
        matcher = compiled(made.rule) if not why else None
    except Wrong as wrong:
        why = str(wrong)
    return made._replace(matcher=matcher, dropped=why)


def _lost(world: World, space: str, backend: Backend, empty: bool) -> str:
    """Why a Service drops the router: it or its port is not there, or it has no pods."""
    service = world.service(space, backend.service)
    if service is None:
        return f"Service {space}/{backend.service} does not exist" if world.complete("Service", namespace=space) else ""
    port = next((p for p in service.ports if backend.port in (p.number, p.name)), None)
    if port is None:
        return f"Service {space}/{backend.service} has no port {backend.port}"
    view = of_service(world, service, port.number) if not empty else None
    lost = view is not None and not view.backends and not view.missing
    return f"Service {space}/{backend.service} has no pods (allowEmptyServices is off)" if lost else ""


def unusable(world: World, space: str, name: str, seen: frozenset[tuple[str, str]] = frozenset()) -> str:
    """Why a Middleware drops the routers that list it; empty when it does not, or when it is not in the input."""
    found = next((m for m in world.inventory.of("Middleware") if (m.meta.namespace, m.meta.name) == (space, name)), None)
    if found is None:
        return f"Middleware {space}/{name} does not exist" if world.complete("Middleware", namespace=space) else ""
    if (space, name) in seen:
        return f"Middleware {space}/{name} lists itself"
    for kind, given in found.spec.items():
        settings = given if isinstance(given, dict) else {}
        if kind in ("ipAllowList", "ipWhiteList"):
            blocks = settings.get("sourceRange") or ()
            wrong = next((b for b in blocks if parse_block(str(b)) is None), None)
            if not blocks or wrong is not None:
                return f"Middleware {space}/{name}: `{wrong or ''}` is no CIDR"
        elif kind == "redirectRegex" and is_wrong(str(settings.get("regex") or "")):
            return f"Middleware {space}/{name}: `{settings.get('regex')}` is no regular expression"
        elif kind in ("basicAuth", "digestAuth"):
            secret = world.secret(space, str(settings.get("secret") or ""))
            if secret is None and world.complete("Secret", namespace=space, name=str(settings.get("secret") or "")):
                return f"Middleware {space}/{name}: Secret {space}/{settings.get('secret')} does not exist"
            if secret is not None and len(secret.keys) != 1 and not {"username", "password"} <= set(secret.keys):
                return f"Middleware {space}/{name}: Secret {space}/{settings.get('secret')} must have one key"
        elif kind == "chain":
            for item in settings.get("middlewares") or ():
                inner = str(item.get("namespace") or space), str(item.get("name") or "")
                if why := unusable(world, *inner, seen | {(space, name)}):
                    return why
    return ""


def moved(world: World, wanted: tuple[tuple[str, str], ...], target: str) -> str:
    """Path and query after the middlewares that change paths; those that do it by patterns are left out."""
    path, mark, query = target.partition("?")
    for space, name in wanted:
        found = next((m for m in world.inventory.of("Middleware") if (m.meta.namespace, m.meta.name) == (space, name)), None)
        for kind, given in found.spec.items() if found is not None else ():
            settings = given if isinstance(given, dict) else {}
            if kind == "addPrefix":
                path = str(settings.get("prefix") or "") + path
            elif kind == "replacePath":
                path = str(settings.get("path") or "")
            elif kind == "stripPrefix":
                prefix = next((str(p) for p in settings.get("prefixes") or () if path.startswith(str(p))), None)
                path = path if prefix is None else "/" + path[len(prefix) :].lstrip("/")
            elif kind == "chain":
                inner = tuple((str(i.get("namespace") or space), str(i.get("name") or "")) for i in settings.get("middlewares") or ())
                path = moved(world, inner, path)
    return path + mark + query
