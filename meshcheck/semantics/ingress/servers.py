"""The servers of nginx.conf, one for each host, and their locations in the order in which nginx has them.

Source: kubernetes/ingress-nginx:internal/ingress/controller/controller.go (createServers, getBackendServers), location.go,
pkg/util/ingress/ingress.go:BuildRedirects, internal/ingress/controller/template/template.go (buildServerName, buildLocation).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from meshcheck.model.ingress import Backend, Ingress, IngressPath
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.ingress.annotations import flag, text
from meshcheck.semantics.ingress.controller import Controller
from meshcheck.semantics.ingress.objects import served
from meshcheck.semantics.ingress.upstreams import is_canary, taken_by_canaries
from meshcheck.semantics.nginx.patterns import is_wrong
from meshcheck.semantics.world.world import World

ANY = "_"
"""The server for hosts that no Ingress names."""


class Place(NamedTuple):
    """A location. Without an Ingress it is the controller's own default; without a backend it leads to the default backend."""

    path: str
    kind: str
    """`Exact` or `Prefix`: nginx knows no other."""
    ingress: Ingress | None
    item: IngressPath | None
    """The path of the Ingress; None for the `/` that every host has."""
    backend: Backend | None
    plain: bool = False
    """Of the catch-all: redirects and rewrites of its Ingress do not count."""

    @property
    def rewrites(self) -> str:
        """The rewrite target; empty without one."""
        return "" if self.ingress is None or self.plain else text(self.ingress, "rewrite-target") or ""

    @property
    def is_regex(self) -> bool:
        """Whether it makes regular expressions of all paths of its host."""
        if self.ingress is None or self.plain:
            return False
        return (bool(self.rewrites) and self.rewrites != self.path) or flag(self.ingress, "use-regex")


class Server(NamedTuple):
    """One host."""

    host: str
    places: tuple[Place, ...]
    aliases: tuple[str, ...]
    owners: tuple[Ingress, ...]
    """The Ingresses with a rule for the host, the oldest first; those of canaries, too."""
    certifiers: tuple[Ingress, ...]
    """Those of its owners that may ask for certificates of clients: they have paths."""
    certificate: Ingress | None
    """The Ingress for whose TLS section the host has a certificate, be it the controller's own."""
    written: tuple[Place, ...] = ()
    """The locations as the Ingresses name them, in the order in which they came."""
    redirects_to: str = ""
    """It only redirects to this host (`from-to-www-redirect`)."""
    refused: str = ""
    """Why nginx refuses the whole configuration; empty when it does not."""

    @property
    def is_regex(self) -> bool:
        return any(place.is_regex for place in self.places)


def servers_of(world: World, controller: Controller) -> Mapping[str, Server]:
    """All servers by host, in alphabetical order."""
    return world.once(("servers", id(controller.workload)), lambda: _servers(served(world, controller)[0]))


def _servers(ingresses: Sequence[Ingress]) -> dict[str, Server]:
    places: dict[str, list[Place]] = {ANY: [_catch_all(ingresses)]}
    for ingress in ingresses:
        for rule in () if is_canary(ingress) else ingress.rules:
            places.setdefault(rule.host or ANY, [Place("/", "Prefix", ingress, None, ingress.default_backend)])
    owners: dict[str, list[Ingress]] = {}
    certifiers: dict[str, list[Ingress]] = {}
    taken = taken_by_canaries(ingresses)
    for ingress in ingresses:
        for rule in ingress.rules:
            host = rule.host or ANY
            host = host if host in places else ANY
            owners.setdefault(host, []).append(ingress)
            if rule.paths or host == ANY:
                certifiers.setdefault(host, []).append(ingress)
            for item in rule.paths:  # also of a canary whose backend another Ingress named first
                if item.backend is not None and (ingress.meta.namespace, item.backend) not in taken:
                    _add(places[host], ingress, item)
    out = {}
    for host in sorted(places):
        mine = list(dict.fromkeys(owners.get(host, ())))
        ordered = sorted(sorted(places[host], key=lambda p: p.path, reverse=True), key=lambda p: -len(p.path))
        whole = tuple(place for item in ordered for place in _expanded(item, ordered))
        aliases = next((a for i in mine if not is_canary(i) and (a := _aliases(i))), ())
        aliases = tuple(alias for alias in aliases if alias != host and alias not in places)
        certificate = next((i for i in mine if i.tls and not is_canary(i)), None)
        asking = tuple(certifiers.get(host, ()))
        out[host] = Server(host, whole, aliases, tuple(mine), asking, certificate, tuple(places[host]), refused=_refusal(host, whole))
    return _with_www(out)


def _catch_all(ingresses: Sequence[Ingress]) -> Place:
    """`/` of the hosts that nobody names: of the first Ingress that has a default backend and no rules."""
    for ingress in ingresses:
        if not ingress.rules and ingress.default_backend is not None and not is_canary(ingress):
            return Place("/", "Prefix", ingress, None, ingress.default_backend, plain=True)
    return Place("/", "Prefix", None, None, None)


def _add(places: list[Place], ingress: Ingress, item: IngressPath) -> None:
    """A path of an Ingress; the first one that has a path of a type keeps it."""
    kind = "Exact" if item.kind == "Exact" else "Prefix"
    mine = Place(item.path or "/", kind, ingress, item, item.backend)
    for n, other in enumerate(places):
        if other.path == mine.path:
            if other.kind != kind:
                break
            if other.item is None and not other.plain:  # the default of the host
                places[n] = mine
            return
    places.append(mine)


def _expanded(place: Place, all_of_host: Sequence[Place]) -> list[Place]:
    """A prefix is two locations: with a slash at its end, and exactly without one."""
    if place.path == "/" or place.kind != "Prefix" or place.is_regex:
        return [place]
    longer = place._replace(path=place.path if place.path.endswith("/") else place.path + "/")
    if any(other.kind == "Exact" and other.path == place.path for other in all_of_host):
        return [longer]
    return [longer, place._replace(kind="Exact")]


def _refusal(host: str, places: Sequence[Place]) -> str:
    """Why nginx would refuse the configuration; empty when it takes it."""
    if host.startswith("*.") and _asks_for_www(places):
        return f"from-to-www-redirect makes a server `www.{host}`, which is no name"
    if any(place.is_regex for place in places):
        wrong = next((place.path for place in places if is_wrong(place.path)), None)
        return f"`{wrong}` is no regular expression" if wrong is not None else ""
    seen: set[tuple[str, str]] = set()
    for place in places:
        if (place.kind, place.path) in seen:
            return f"host `{host}` has location `{place.path}` twice"
        seen.add((place.kind, place.path))
    return ""


def _aliases(ingress: Ingress) -> tuple[str, ...]:
    return tuple(sorted({part.strip() for part in (text(ingress, "server-alias") or "").split(",") if part.strip()}))


def _asks_for_www(places: Sequence[Place]) -> bool:
    return any(p.ingress is not None and p.item is not None and flag(p.ingress, "from-to-www-redirect") for p in places)


def _with_www(servers: dict[str, Server]) -> dict[str, Server]:
    """With `from-to-www-redirect` the name with or without `www.` is a server that redirects."""
    out = dict(servers)
    for host, server in servers.items():
        other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
        if _asks_for_www(server.places) and other not in servers:
            out[other] = Server(other, (), (), server.owners, (), None, redirects_to=host)
    return out


def server_of(servers: Mapping[str, Server], host: str) -> Server:
    """The server for a host as nginx finds it: by name, by an alias with a star, by a pattern, else the one for all others."""
    if host in servers and host != ANY and "*" not in host:
        return servers[host]
    for server in servers.values():
        if host in server.aliases:
            return server
    stars = [(alias, s) for s in servers.values() for alias in s.aliases if "*" in alias and not alias.startswith("~")]
    leading = [(len(a), s) for a, s in stars if a.startswith("*.") and host.endswith(a[1:]) and len(host) >= len(a)]
    trailing = [(len(a), s) for a, s in stars if a.endswith(".*") and host.startswith(a[:-1])]
    for found in (leading, trailing):
        if found:
            return max(found, key=lambda pair: pair[0])[1]
    for server in servers.values():
        if server.host.startswith("*.") and re.fullmatch(r"[\w-]+" + re.escape(server.host[1:]), host, re.ASCII):
            return server
        if any(alias.startswith("~") and _matches(alias[1:], host) for alias in server.aliases):
            return server
    return servers[ANY]


def _matches(pattern: str, host: str) -> bool:
    try:
        return re.search(pattern.removeprefix("*"), host, re.IGNORECASE) is not None
    except re.error:
        return False


def has_certificate(servers: Mapping[str, Server], host: str) -> bool:
    """Whether the controller has a certificate for a host: its server's, or that of the server with a star for it."""
    wildcard = "*." + host.partition(".")[2]
    return any(name in servers and servers[name].certificate is not None for name in (host, wildcard))
