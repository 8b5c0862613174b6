"""HTTP routes of VirtualServices.

Source: istio/istio:pkg/config/validation/virtualservice.go, validation.go.
"""

from __future__ import annotations

import re
from typing import Any

from meshcheck.decode.admission.faults import Faults, at, below
from meshcheck.decode.admission.istio_formats import nanoseconds
from meshcheck.decode.admission.istiod import names
from meshcheck.decode.admission.istiod.destination import destination, weighted
from meshcheck.decode.admission.istiod.header_values import TOKEN, changes, is_authority, match_name
from meshcheck.decode.admission.words import shown, size

_METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"])
_RETRIES = frozenset(
    [
        "5xx",
        "gateway-error",
        "reset",
        "reset-before-request",
        "connect-failure",
        "retriable-4xx",
        "refused-stream",
        "retriable-status-codes",
        "retriable-headers",
        "envoy-ratelimited",
        "http3-post-connect-failure",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    ]
)
_GRPC = frozenset(
    [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ]
)
_STATUSES = frozenset(
    map(
        str,
        [
            *(100, 101, 102, *range(200, 209), 226, *range(300, 306), 307, 308),
            *(*range(400, 418), *range(421, 427), 428, 429, 431, 451, *range(500, 509), 510, 511),
        ],
    )
)
_MOST_REGEX = 1024
_MOST_BODY = 1024 * 1024


def http_route(route: dict[str, Any], delegate: bool) -> Faults:
    """One HTTP route; `delegate` when the VirtualService has no hosts."""
    return (
        _one_thing(route, delegate)
        or _matches(route)
        or changes(route.get("headers"))
        or _cors(route.get("corsPolicy"))
        or _fault(route)
        or _mirrors(route)
        or _redirect(route)
        or _direct_response(route)
        or _retries(route)
        or _rewrite(route)
        or next((below(bad, "route", n) for n, item in enumerate(route.get("route") or ()) if (bad := changes(item.get("headers")))), None)
        or weighted(route.get("route") or [])
        or names.durations(route, "timeout")
    )


def _one_thing(route: dict[str, Any], delegate: bool) -> Faults:
    """Route, redirect, directResponse and delegate exclude each other."""
    if "delegate" in route:
        if delegate:
            return at("a VirtualService that is delegated to cannot delegate", "delegate")
        other = next((field for field in ("redirect", "route") if route.get(field)), None)
        return at(f"`delegate` and `{other}` exclude each other", other) if other else None
    for field, others in (
        ("redirect", ("route", "fault", "rewrite", "directResponse")),
        ("directResponse", ("route", "fault", "rewrite")),
    ):
        if field in route:
            other = next((name for name in others if route.get(name) not in (None, [])), None)
            return at(f"`{field}` and `{other}` exclude each other", other) if other else None
    if not route.get("route"):
        return at("`route`, `redirect` or `directResponse` is required")
    return at("`mirror` and `mirrors` exclude each other", "mirror") if "mirror" in route and route.get("mirrors") else None


# ---- matches ----


def _matches(route: dict[str, Any]) -> Faults:
    for number, match in enumerate(route.get("match") or ()):
        if bad := _match(match):
            return below(bad, "match", number)
    return None


def _match(match: dict[str, Any]) -> Faults:
    for field in ("headers", "withoutHeaders"):
        for name, text in (match.get(field) or {}).items():
            if said := match_name(name):
                return at(said, field, name)
            present = field == "withoutHeaders" and text.get("regex") == "*"
            if not present and (said := _text(text)):
                return at(said, field, name)
    if said := _regex_of(match.get("uri")):
        return at(said, "uri")
    for field in ("scheme", "method", "authority"):
        if said := _text(match.get(field)):
            return at(said, field)
    for name, text in (match.get("queryParams") or {}).items():
        if said := _text(text):
            return at(said, "queryParams", name)
    if match.get("port") and (said := names.port(match["port"])):
        return at(said, "port")
    if bad := names.labels(match.get("sourceLabels")):
        return below(bad, "sourceLabels")
    namespace = match.get("sourceNamespace") or ""
    if namespace and not names.is_label(namespace):
        return at(f"`{shown(namespace)}` is no namespace", "sourceNamespace")
    return gateway_names(match.get("gateways") or [])


def gateway_names(gateways: list[str]) -> Faults:
    """`namespace/name`, `name` or `mesh`. After a name without namespace Istio does not look at the others."""
    for number, text in enumerate(gateways):
        namespace, slash, name = text.partition("/")
        if not slash:
            said = names.fqdn(text)
            return at(said, "gateways", number) if said else None
        if not names.is_label(namespace) or not names.is_label(name):
            return at(f"`{shown(text)}` must be `namespace/name`", "gateways", number)
    return None


def _text(match: dict[str, Any] | None) -> str | None:
    if match is not None and match.get("prefix") == "":
        return "an empty prefix matches everything; leave it out"
    return _regex_of(match)


def _regex_of(match: dict[str, Any] | None) -> str | None:
    return None if match is None or "regex" not in match else _regex(match["regex"])


def _regex(text: str) -> str | None:
    """An expression for RE2. What Python cannot compile either is wrong; what only Python can is found here."""
    if not text:
        return "an empty expression matches nothing"
    if size(text) > _MOST_REGEX:
        return f"an expression has at most {_MOST_REGEX} characters"
    if found := re.search(r"(?<!\\)(?:\\\\)*(\(\?(?:[=!>]|<[=!])|\\[1-9]|[*+?}]\+)", text):
        return f"RE2 knows no `{found[1]}`"
    plain = re.sub(r"\\[pP](?:\w|\{\^?\w+\})|\[\[:\^?\w+:\]\]", "x", text).replace(r"\z", r"\Z")
    plain = re.sub(r"\(\?P?<(\w+)>", r"(?P<\1>", re.sub(r"\\Q(.*?)(?:\\E|\Z)", lambda m: re.escape(m[1]), plain))
    try:
        re.compile(re.sub(r"\(\?([a-zA-Z]*)(?:-[a-zA-Z]+)?(:|\))", lambda m: "(?:" if m[2] == ":" else "", plain))
    except (re.error, RecursionError, OverflowError) as error:
        return f"`{shown(text)}` is no regular expression: {error}"
    return None


# ---- what a route does ----


def _cors(policy: dict[str, Any] | None) -> Faults:
    if policy is None:
        return None
    for number, origin in enumerate(policy.get("allowOrigins") or ()):
        if not any(origin.get(field) for field in ("exact", "prefix", "regex")):
            return at("an origin must be given", "corsPolicy", "allowOrigins", number)
        if said := _regex_of(origin):
            return at(said, "corsPolicy", "allowOrigins", number)
    for number, method in enumerate(policy.get("allowMethods") or ()):
        if method not in _METHODS:
            return at(f"`{shown(method)}` is no HTTP method", "corsPolicy", "allowMethods", number)
    for field in ("allowHeaders", "exposeHeaders"):
        for number, name in enumerate(policy.get(field) or ()):
            if name != "*" and not TOKEN.fullmatch(name):
                return at(f"`{shown(name)}` is no header name", "corsPolicy", field, number)
    if bad := names.durations(policy, "maxAge"):
        return below(bad, "corsPolicy")
    return at("must be whole seconds", "corsPolicy", "maxAge") if (nanoseconds(policy.get("maxAge", "0s")) or 0) % 10**9 else None


def _fault(route: dict[str, Any]) -> Faults:
    fault = route.get("fault")
    if fault is None:
        return None
    abort, delay = fault.get("abort"), fault.get("delay")
    if abort is None and delay is None:
        return at("`abort` or `delay` is required", "fault")
    for name, part in (("abort", abort), ("delay", delay)):
        share = ((part or {}).get("percentage") or {}).get("value", 0)
        if not 0 <= share <= 100 or 0 < share < 0.0001:
            return at("must be 0, or between 0.0001 and 100", "fault", name, "percentage", "value")
    if abort is not None:
        if "http2Error" in abort:
            return at("is not supported", "fault", "abort", "http2Error")
        if "grpcStatus" in abort and abort["grpcStatus"] not in _GRPC:
            return at(f"`{shown(abort['grpcStatus'])}` is no gRPC status such as `NOT_FOUND`", "fault", "abort", "grpcStatus")
        if "httpStatus" in abort and not 200 <= abort["httpStatus"] <= 600:
            return at("must be between 200 and 599", "fault", "abort", "httpStatus")
    if "exponentialDelay" in (delay or {}):
        return at("is not supported", "fault", "delay", "exponentialDelay")
    return below(names.durations(delay, "fixedDelay"), "fault", "delay") or None


def _mirrors(route: dict[str, Any]) -> Faults:
    if (route.get("mirrorPercent") or route.get("mirror_percent") or 0) > 100:
        return at("must be at most 100", "mirrorPercent")
    if not 0 <= (route.get("mirrorPercentage") or {}).get("value", 0) <= 100:
        return at("must be between 0 and 100", "mirrorPercentage", "value")
    if bad := destination(route.get("mirror")):
        return below(bad, "mirror")
    for number, mirror in enumerate(route.get("mirrors") or ()):
        if bad := destination(mirror["destination"]):
            return below(bad, "mirrors", number, "destination")
        if not 0 <= (mirror.get("percentage") or {}).get("value", 0) <= 100:
            return at("must be between 0 and 100", "mirrors", number, "percentage", "value")
    return None


def _redirect(route: dict[str, Any]) -> Faults:
    redirect = route.get("redirect")
    if redirect is None:
        return None
    if redirect.get("uri") and redirect.get("prefixRewrite"):
        return at("`uri` and `prefixRewrite` exclude each other", "redirect", "prefixRewrite")
    if redirect.get("prefixRewrite"):
        for number, match in enumerate(route.get("match") or ()):
            if "uri" in match and "prefix" not in match["uri"]:
                return at("`prefixRewrite` needs matches of a prefix", "match", number, "uri")
    if (
        not any(redirect.get(field) for field in ("uri", "prefixRewrite", "authority", "scheme"))
        and not {"port", "derivePort"} & redirect.keys()
    ):
        return at("must say where to: `uri`, `authority`, `scheme` or `port`", "redirect")
    code = redirect.get("redirectCode") or 0
    if code and not 300 <= code <= 399:
        return at(f"{code} is no redirect; 301, 302, 303, 307 and 308 are", "redirect", "redirectCode")
    if redirect.get("scheme", "") not in ("", "http", "https"):
        return at("must be `http` or `https`", "redirect", "scheme")
    return at(said, "redirect", "port") if redirect.get("port") and (said := names.port(redirect["port"])) else None


def _direct_response(route: dict[str, Any]) -> Faults:
    response = route.get("directResponse")
    if response is None:
        return None
    body = response.get("body") or {}
    if size(body.get("string", "")) > _MOST_BODY or len(body.get("bytes", "")) * 3 // 4 > _MOST_BODY:
        return at("must have less than 1 MiB", "directResponse", "body")
    return None if 200 <= response["status"] <= 600 else at("must be between 200 and 599", "directResponse", "status")


def _retries(route: dict[str, Any]) -> Faults:
    retries = route.get("retries")
    if retries is None:
        return None
    attempts = retries.get("attempts", 0)
    if attempts < 0:
        return at("must not be negative", "retries", "attempts")
    if not attempts:
        for field in ("perTryTimeout", "retryOn", "retryRemoteLocalities"):
            if retries.get(field) not in (None, ""):
                return at("means nothing without `attempts`", "retries", field)
    for word in retries["retryOn"].split(",") if retries.get("retryOn") else ():
        if word not in _RETRIES and not (word.lstrip("+").isdecimal() and str(int(word[:9])) in _STATUSES):
            return at(f"`{shown(word)}` is no reason to retry", "retries", "retryOn")
    return below(names.durations(retries, "perTryTimeout", "backoff"), "retries") or None


def _rewrite(route: dict[str, Any]) -> Faults:
    rewrite = route.get("rewrite")
    if rewrite is not None:
        regex = rewrite.get("uriRegexRewrite")
        if rewrite.get("uri") and regex is not None:
            return at("`uri` and `uriRegexRewrite` exclude each other", "rewrite", "uriRegexRewrite")
        if not rewrite.get("uri") and regex is None and not rewrite.get("authority"):
            return at("`uri`, `uriRegexRewrite` or `authority` is required", "rewrite")
        if regex is not None:
            if not regex.get("match") or not regex.get("rewrite"):
                return at("`match` and `rewrite` are required", "rewrite", "uriRegexRewrite")
            if said := _regex(regex["match"]):
                return at(said, "rewrite", "uriRegexRewrite", "match")
    current = bool((rewrite or {}).get("authority"))
    for action in ("set", "add"):
        for name, text in (((route.get("headers") or {}).get("request") or {}).get(action) or {}).items():
            if is_authority(name):
                if current:
                    return at("the host is rewritten in more than one place", "headers", "request", action, name)
                current = bool(text)
    return None
