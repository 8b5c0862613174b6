"""Rules of Traefik's routers, syntax v3: matchers put together with `&&`, `||`, `!` and parentheses.

Source: traefik/traefik:pkg/rules/parser.go, pkg/muxer/http/{matcher,mux}.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qs, unquote

from meshcheck.model.pattern import pattern
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.nginx.patterns import is_wrong, search

_TOKEN = pattern(r"\s*(?:(&&|\|\||!|\(|\)|,)|([A-Za-z]+)|`([^`]*)`|\"((?:[^\"\\]|\\.)*)\")")
_RESERVED = frozenset(":/?#[]@!$&'()*+,;=%")
_COUNTS = {"ClientIP": (1, 1), "Method": (1, 1), "Host": (1, 1), "HostRegexp": (1, 1), "Path": (1, 1), "PathRegexp": (1, 1),
           "PathPrefix": (1, 1), "Header": (2, 2), "HeaderRegexp": (2, 2), "Query": (1, 2), "QueryRegexp": (1, 2)}  # fmt: skip


class Asked(NamedTuple):
    """A request as rules see it. `address` is empty when it is not known."""

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, Sequence[str]]
    address: str
    scheme: str = "http"
    authority: str = ""
    """The Host header as it is sent."""
    target: str = "/"
    """Path and query as they are sent on."""


Matcher = Callable[[Asked], bool | None]
"""Whether a request matches; None when it is not known."""


class Wrong(Exception):
    """A rule that Traefik does not take: its router is dropped."""


class BadRequest(Exception):
    """A request that Go answers with 400."""


def compiled(rule: str) -> Matcher:
    """A rule. Raises Wrong."""
    tokens: list[tuple[str, str]] = []
    at = 0
    text = rule.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise Wrong(f"`{rule}` cannot be read")
        at = found.end()
        kinds = ("sign", "name", "text", "text")
        tokens.append(next((kind, part) for kind, part in zip(kinds, found.groups(), strict=True) if part is not None))
    parser = _Parser(tokens, rule)
    out = parser.either()
    if parser.tokens:
        raise Wrong(f"`{rule}` cannot be read")
    return out


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], rule: str) -> None:
        self.tokens, self.rule = tokens, rule

    def take(self, sign: str) -> bool:
        if self.tokens and self.tokens[0] == ("sign", sign):
            self.tokens.pop(0)
            return True
        return False

    def either(self) -> Matcher:
        parts = [self.both()]
        while self.take("||"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda asked: _any([part(asked) for part in parts])

    def both(self) -> Matcher:
        parts = [self.one()]
        while self.take("&&"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda asked: _not(_any([_not(part(asked)) for part in parts]))

    def one(self) -> Matcher:
        if self.take("!"):
            inner = self.one()
            return lambda asked: _not(inner(asked))
        if self.take("("):
            inner = self.either()
            if not self.take(")"):
                raise Wrong(f"`{self.rule}` lacks a parenthesis")
            return inner
        if len(self.tokens) < 3 or self.tokens[0][0] != "name" or self.tokens[1] != ("sign", "("):
            raise Wrong(f"`{self.rule}` cannot be read")
        name = self.tokens.pop(0)[1]
        self.tokens.pop(0)
        values: list[str] = []
        while self.tokens and self.tokens[0][0] == "text":
            values.append(self.tokens.pop(0)[1])
            if not self.take(","):
                break
        if not self.take(")"):
            raise Wrong(f"`{self.rule}` cannot be read")
        least, most = _COUNTS.get(name, (1, 0))
        if not least <= len(values) <= most:
            raise Wrong(f"`{name}` is no matcher with {len(values)} values")
        return _matcher(name, values)


def _any(found: Sequence[bool | None]) -> bool | None:
    return True if True in found else None if None in found else False


def _not(found: bool | None) -> bool | None:
    return None if found is None else not found


def _found(pattern: str, text: str) -> bool | None:
    match = search(pattern, text)
    return None if isinstance(match, bool) else match is not None


def _matcher(name: str, values: list[str]) -> Matcher:
    first, last = values[0], values[-1]
    if name.endswith("Regexp") and is_wrong(last):
        raise Wrong(f"`{last}` is no regular expression")
    if name in ("Path", "PathPrefix") and not first.startswith("/"):
        raise Wrong(f"path `{first}` does not start with a /")
    if name == "ClientIP" and parse_block(first) is None:
        raise Wrong(f"`{first}` is no CIDR")
    block, value = parse_block(first), values[1] if len(values) > 1 else ""
    by_name: dict[str, Matcher] = {
        "Method": lambda asked: first.upper() == asked.method,
        "Host": lambda asked: is_host(first, asked.host),
        "HostRegexp": lambda asked: _found(first, asked.host),
        "Path": lambda asked: asked.path == first,
        "PathPrefix": lambda asked: asked.path.startswith(first),
        "PathRegexp": lambda asked: _found(first, asked.path),
        "Header": lambda asked: value in asked.headers.get(first.lower(), ()),
        "HeaderRegexp": lambda asked: _any([_found(value, line) for line in asked.headers.get(first.lower(), ())]),
        "Query": lambda asked: value in parse_qs(asked.query.removeprefix("?"), keep_blank_values=True).get(first, ()),
        "QueryRegexp": lambda asked: _any(
            [_found(value, v) for v in parse_qs(asked.query.removeprefix("?"), keep_blank_values=True).get(first, ())]
        ),
        "ClientIP": lambda asked: block.holds(given) if block and (given := parse_address(asked.address)) is not None else None,
    }
    return by_name[name]


def is_host(expression: str, host: str) -> bool:
    """Whether a host meets `Host`: without case and final dots, a star for one label."""
    wanted, given = expression.lower().removesuffix("."), host.lower().removesuffix(".")
    if expression == "*":
        return True
    if wanted.startswith("*"):
        given = ".".join(["*", *given.split(".")[1:]])
    return bool(given) and wanted == given


def path_of(raw: str) -> tuple[str, str]:
    """The path as rules see it, and as it is sent on: dots and doubled slashes taken out, all but reserved characters decoded.

    Raises BadRequest. Source: traefik/traefik:pkg/server/server_entrypoint_tcp.go (normalizePath, sanitizePath).
    """
    if re.search(r"%(?![0-9A-Fa-f]{2})", raw) or any(c <= " " or c == "\x7f" for c in raw) or "#" in raw:
        raise BadRequest(f"the path `{raw}` is not one that Traefik reads")

    def plain(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character.isascii() and (character.isalnum() or character in "-._~") else match[0].upper()

    path = re.sub(r"%([0-9A-Fa-f]{2})", plain, raw)
    out: list[str] = []
    parts = path.split("/")[1:]
    for part in parts:
        if part == "..":
            out = out[:-1]
        elif part not in ("", "."):
            out.append(part)
    clean = "/" + "/".join(out)
    if out and parts[-1] == "":
        clean += "/"
    decoded = re.sub(r"(%[0-9A-F]{2})+", lambda m: "".join(_kept(c) for c in re.findall("%..", m[0])), clean)
    return decoded, clean


def _kept(escape: str) -> str:
    character = unquote(escape, encoding="latin-1")
    return escape if character in _RESERVED else character
