"""Which location answers: exact, longest prefix, `^~`, then regular expressions in their order.

Source: nginx/nginx:src/http/ngx_http_core_module.c (ngx_http_core_location, ngx_http_core_find_location,
ngx_http_core_find_static_location).
"""

from __future__ import annotations

import re

from meshcheck.model.nginx import Directive
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.nginx.levels import Level
from meshcheck.semantics.nginx.patterns import search
from meshcheck.semantics.nginx.supposing import Supposing

PASSING = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")


class Name(NamedTuple):
    """The name of a location. `kind`: `=`, `^~`, `~`, `~*`, `@` or empty for a prefix."""

    kind: str
    text: str


def name_of(location: Directive) -> Name:
    """The name of a location, however it is written."""
    args = location.args
    if len(args) == 2:
        return Name(args[0], args[1])
    text = args[0] if args else ""
    for kind in ("=", "^~", "~*", "~", "@"):
        if text.startswith(kind):
            return Name(kind, text[len(kind) :])
    return Name("", text)


class Found(NamedTuple):
    """The location that answers; `level` is the block around when none does."""

    level: Level
    final: bool
    """No regular expression further out may take it away."""
    redirect: bool = False
    """The URI lacks the final slash of a location that hands on: nginx answers with 301."""
    match: re.Match[str] | None = None


def find(level: Level, uri: str, supposing: Supposing) -> Found:
    """The location of a URI inside a block."""
    places = [(item, name_of(item)) for item in level.own("location") if item.block is not None]
    exact = next((item for item, name in places if name.kind == "=" and name.text == uri), None)
    if exact is not None:
        return Found(Level(exact, level), True)
    prefixes = [(item, name) for item, name in places if name.kind in ("", "^~")]
    same = [(item, name) for item, name in prefixes if name.text == uri]
    slash = next((item for item, name in places if name.kind in ("", "^~", "=") and name.text == uri + "/" and _hands_on(item)), None)
    if slash is not None and not same:
        return Found(Level(slash, level), True, redirect=True)
    fitting = [(item, name) for item, name in prefixes if uri.startswith(name.text)]
    found = Found(level, False)
    if fitting:
        item, name = max(fitting, key=lambda pair: len(pair[1].text))
        found = find(Level(item, level), uri, supposing)
        if found.final or name.kind == "^~":
            return found
    for item, name in places:
        if name.kind in ("~", "~*"):
            match = search(name.text, uri, name.kind == "~*")
            if match is False and supposing.ask(f"whether `location {name.kind} {name.text}` ({item.place}) matches `{uri}`"):
                match = None
            elif not match:
                continue
            inner = find(Level(item, level), uri, supposing)
            return Found(inner.level, True, inner.redirect, inner.match or (match if isinstance(match, re.Match) else None))
    return found


def named(level: Level, name: str) -> Level | None:
    """The location `@name` of a server."""
    return next((Level(item, level) for item in level.own("location") if item.args == (name,)), None)


def _hands_on(location: Directive) -> bool:
    return any(item.name in PASSING for item in location.block or ())
