"""Whether a request meets a match block.

Source: istio/istio:pilot/pkg/networking/core/route/route.go:TranslateRouteMatch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from meshcheck.model.istio_networking import HttpMatch, StringMatch
from meshcheck.model.record import NamedTuple
from meshcheck.semantics import watching
from meshcheck.semantics.header_lines import is_one_value, values_of
from meshcheck.semantics.watching import ANY, Pattern


class RouteRequest(NamedTuple):
    """What a router looks at. `path` is without query, `headers` have lower-case names."""

    method: str
    path: str
    query: str
    scheme: str
    authority: str
    headers: Mapping[str, Sequence[str]]
    port: int
    gateway: str
    """`mesh`, or `NAMESPACE/NAME` of the gateway."""
    source_labels: Mapping[str, str]
    source_namespace: str | None
    claims: Mapping[str, Any] | None = None
    """Of the token that the proxy accepted."""


def text_matches(match: StringMatch, value: str) -> bool:
    """Exact, prefix or whole regular expression."""
    wanted = match.value
    if match.kind == "present":
        return True
    if match.kind == "regex":
        from meshcheck.semantics.expressions import fits

        return fits(wanted, value)
    if match.ignore_case:
        wanted, value = wanted.lower(), value.lower()
    if match.kind == "segments":
        return wanted == "/" or value == wanted or value.startswith(wanted + "/")
    return value == wanted if match.kind == "exact" else value.startswith(wanted)


def pattern_of(match: StringMatch) -> Pattern:
    """What `text_matches` compares with, for who watches."""
    return ANY if match.kind == "present" else Pattern(match.kind, match.value, match.ignore_case and match.kind != "regex")


def is_catch_all(match: HttpMatch) -> bool:
    """Whether a block matches every request: no condition, or only the prefix `/` or the regex `.*`."""
    path = match.path
    open_path = (
        path is None or (path.kind in ("prefix", "segments") and path.value == "/") or (path.kind == "regex" and path.value in (".*", "*"))
    )
    return open_path and not (
        match.method
        or match.scheme
        or match.authority
        or match.headers
        or match.without_headers
        or match.query
        or match.source_labels
        or match.source_namespace
    )


def build_failure(match: HttpMatch, request: RouteRequest) -> str | None:
    """The first condition that leaves a block out when the routes of a proxy are made: it is for other proxies or ports."""
    if match.gateways:
        if request.gateway not in match.gateways:
            return f"gateways {', '.join(match.gateways)}"
    else:
        if match.source_namespace and match.source_namespace != request.source_namespace:
            return f"sourceNamespace {match.source_namespace}"
        if any(request.source_labels.get(key) != value for key, value in match.source_labels.items()):
            return "sourceLabels"
    if match.port is not None and match.port != request.port:
        return f"port {match.port}"
    return None


def first_failure(match: HttpMatch, request: RouteRequest) -> str | None:
    """The first condition that a request does not meet, in words; None when all hold. The proxy is one that has the block."""
    by = watching.by
    for name, part, wanted, actual in (
        ("uri", "path", match.path, request.path),
        ("method", "method", match.method, request.method),
        ("scheme", "scheme", match.scheme, request.scheme),
        ("authority", "authority", match.authority, request.authority),
    ):
        if wanted is None:
            continue
        found = text_matches(wanted, actual)
        if by is not None:
            by.text(part, (pattern_of(wanted),), actual, found)
        if not found:
            return f"{name} {wanted.kind} {wanted.value}"
    for name, wanted in match.headers:
        if name.startswith("@request.auth.claims"):
            if not _claim_matches(name, wanted, request.claims):
                return f"claim {name.removeprefix('@request.auth.claims').strip('.[]')}"
            continue
        found = any(text_matches(wanted, line) for line in _values(request, name) or ())
        if by is not None:
            _tell(by, request, name.lower(), wanted, found, False)
        if not found:
            return f"header {name}"
    for name, wanted in match.without_headers:
        lines = _values(request, name)
        when_absent = wanted.kind != "present" and text_matches(wanted, "")
        found = when_absent if lines is None else any(text_matches(wanted, line) for line in lines)
        if by is not None:
            _tell(by, request, name.lower(), wanted, found, when_absent)
        if found:
            return f"withoutHeaders {name}"
    if match.query:
        given = _parameters(request.query)
        for name, wanted in match.query:
            found = name in given and text_matches(wanted, given[name])
            if by is not None:
                by.query(name, (pattern_of(wanted),), given.get(name), found)
            if not found:
                return f"query parameter {name}"
    return None


def _values(request: RouteRequest, name: str) -> Sequence[str] | None:
    """The values of a header; `host` and the pseudo-headers of HTTP/2 count as headers, too."""
    lower = name.lower()
    if lower not in (":authority", "host", ":method", ":path", ":scheme"):
        return values_of(request.headers, lower)
    part = {":method": request.method, ":path": request.path + request.query, ":scheme": request.scheme}
    return [part.get(lower, request.authority)]


def _tell(by: watching.Watcher, request: RouteRequest, name: str, wanted: StringMatch, found: bool, when_absent: bool) -> None:
    """Say what a condition on a header looked at."""
    patterns = (pattern_of(wanted),)
    if name == ":path":
        by.target(patterns, request.path, request.query, found)
    elif name in (":authority", "host", ":method", ":scheme"):
        part = "authority" if name == "host" else name[1:]
        by.text(part, patterns, getattr(request, part), found)
    else:
        lines = request.headers.get(name)
        by.header(name, patterns, lines, found, is_one_value(name), when_absent)


def _parameters(query: str) -> dict[str, str]:
    """Query parameters as they are written: the router decodes nothing. Of a repeated one the first counts.

    Source: envoyproxy/envoy:source/common/http/utility.cc:QueryParamsMulti::parseQueryString.
    """
    pairs = (part.partition("=") for part in reversed(query.removeprefix("?").split("&")) if part)
    return {name: value for name, _, value in pairs}


def _claim_matches(name: str, wanted: StringMatch, claims: Mapping[str, Any] | None) -> bool:
    """`@request.auth.claims.a.b` or `@request.auth.claims[a][b]`: a text, or a list that holds one.

    Source: istio/istio:pilot/pkg/networking/core/route/route.go:translateMetadataMatch.
    """
    rest = name.removeprefix("@request.auth.claims")
    keys = rest.strip("[]").split("][") if rest.startswith("[") else rest.removeprefix(".").split(".")
    found: Any = claims
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list) else [] if found is None else [found]
    if wanted.kind == "present":
        fits = bool(values)
    else:
        fits = any(isinstance(value, str) and text_matches(wanted, value) for value in values)
    if watching.by is not None and claims is not None:
        watching.by.claim(tuple(keys), (pattern_of(wanted),), fits)
    return fits
