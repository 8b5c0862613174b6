"""The location of nginx that takes a path of a host.

Source: kubernetes/ingress-nginx:internal/ingress/controller/controller.go:getBackendServers, location.go,
template/template.go:buildLocation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

from meshcheck.model.ingress import Backend, Ingress, IngressPath
from meshcheck.semantics.ingress.objects import note


class Location(NamedTuple):
    """What takes a request. Without a path it is the implicit `/` of the host, of the oldest Ingress."""

    ingress: Ingress
    path: IngressPath | None
    backend: Backend | None
    captures: tuple[str, ...] = ()
    slash: bool = False
    """nginx answers 301: the path is written with a slash at its end, and the request has none."""


class Server(NamedTuple):
    """One host: its Ingresses, the oldest first."""

    host: str
    ingresses: tuple[Ingress, ...]


def server_of(ingresses: Iterable[Ingress], host: str) -> Server | None:
    """The server for a Host: exact, a wildcard of one label, then the one without a host."""
    by_host: dict[str, list[Ingress]] = {}
    for ingress in ingresses:
        if note(ingress, "canary") == "true":
            continue
        for rule in ingress.rules:
            owners = by_host.setdefault(rule.host, [])
            if ingress not in owners:
                owners.append(ingress)
        if not ingress.rules and ingress.default_backend is not None:
            by_host.setdefault("", []).append(ingress)
    wildcard = "*." + host.partition(".")[2]
    for name in (host, wildcard, ""):
        if name in by_host:
            return Server(name, tuple(by_host[name]))
    return None


def normalised(path: str) -> str:
    """The path as nginx compares it: decoded, slashes merged, dots resolved."""
    out: list[str] = []
    text = re.sub(r"/+", "/", unquote(path))
    for part in text.split("/")[1:]:
        if part == "..":
            out = out[:-1]
        elif part != ".":
            out.append(part)
    return "/" + "/".join(out)


def location_of(server: Server, path: str) -> Location:
    """The location of a server for a path (normalised)."""
    taken: set[tuple[str, str]] = set()
    every: list[tuple[Ingress, IngressPath]] = []
    for ingress in server.ingresses:
        for rule in ingress.rules:
            for item in rule.paths if rule.host == server.host else ():
                if (item.path, item.kind) not in taken:
                    taken.add((item.path, item.kind))
                    every.append((ingress, item))
    found = _by_regex(every, path) if any(_is_regex(i, p) for i, p in every) else _plain(every, path)
    if found is not None:
        return found
    oldest = server.ingresses[0]
    return Location(oldest, None, oldest.default_backend)


def _is_regex(ingress: Ingress, item: IngressPath) -> bool:
    target = note(ingress, "rewrite-target")
    return note(ingress, "use-regex") == "true" or (bool(target) and target != item.path)


def _by_regex(every: list[tuple[Ingress, IngressPath]], path: str) -> Location | None:
    """All paths are regular expressions: not anchored at the end, without case, the longest text first."""
    for ingress, item in sorted(every, key=lambda pair: (len(pair[1].path), pair[1].path), reverse=True):
        try:
            match = re.match(item.path, path, re.IGNORECASE)
        except re.error:
            continue
        if match:
            return Location(ingress, item, item.backend, tuple(group or "" for group in match.groups()))
    return None


def _plain(every: list[tuple[Ingress, IngressPath]], path: str) -> Location | None:
    for ingress, item in every:
        if item.kind == "Exact" and item.path == path:
            return Location(ingress, item, item.backend)
    best: tuple[int, Location] | None = None
    for ingress, item in every:
        if item.kind == "Exact":
            continue
        prefix = item.path.rstrip("/")
        slash = item.path.endswith("/") and bool(prefix) and path == prefix
        longer = best is None or len(prefix) > best[0]
        if longer and (slash or path == prefix or path.startswith(prefix + "/")):
            best = len(prefix), Location(ingress, item, item.backend, (), slash)
    return best[1] if best else None
