"""Whether a request meets a match block.

Source: istio/istio:pilot/pkg/networking/core/route/route.go:TranslateRouteMatch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from meshcheck.model.istio_networking import HttpMatch, StringMatch


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


@lru_cache(maxsize=4096)
def _regex(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:
        return None


def text_matches(match: StringMatch, value: str) -> bool:
    """Exact, prefix or whole regular expression."""
    wanted = match.value
    if match.kind == "present":
        return True
    if match.kind == "regex":
        pattern = _regex(wanted)
        return pattern is not None and pattern.fullmatch(value) is not None
    if match.ignore_case:
        wanted, value = wanted.lower(), value.lower()
    if match.kind == "segments":
        return wanted == "/" or value == wanted or value.startswith(wanted + "/")
    return value == wanted if match.kind == "exact" else value.startswith(wanted)


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
    for name, wanted, actual in (
        ("uri", match.path, request.path),
        ("method", match.method, request.method),
        ("scheme", match.scheme, request.scheme),
        ("authority", match.authority, request.authority),
    ):
        if wanted is not None and not text_matches(wanted, actual):
            return f"{name} {wanted.kind} {wanted.value}"
    for name, wanted in match.headers:
        if name.startswith("@request.auth.claims"):
            if not _claim_matches(name, wanted, request.claims):
                return f"claim {name.removeprefix('@request.auth.claims').strip('.[]')}"
            continue
        lines = request.headers.get(name.lower())
        if lines is None or not text_matches(wanted, ",".join(lines)):
            return f"header {name}"
    for name, wanted in match.without_headers:
        lines = request.headers.get(name.lower())
        if lines is not None and text_matches(wanted, ",".join(lines)):
            return f"withoutHeaders {name}"
        if lines is None and wanted.kind != "present" and text_matches(wanted, ""):
            return f"withoutHeaders {name}"
    if match.query:
        given = dict(reversed(parse_qsl(request.query.removeprefix("?"), keep_blank_values=True)))
        for name, wanted in match.query:
            if name not in given or not text_matches(wanted, given[name]):
                return f"query parameter {name}"
    return None


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
        return bool(values)
    return any(isinstance(value, str) and text_matches(wanted, value) for value in values)
