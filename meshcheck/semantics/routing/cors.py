"""A proxy's CORS policy: what it answers to a preflight, and which headers it adds.

Sources: istio/istio:pilot/pkg/networking/core/route/route.go:TranslateCORSPolicy; envoyproxy/envoy:source/extensions/filters/http/cors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from meshcheck.model.istio_networking import StringMatch
from meshcheck.model.trace import ALLOWED, Mention, Station, Symptom
from meshcheck.semantics import watching
from meshcheck.semantics.routing.match import pattern_of, text_matches
from meshcheck.semantics.watching import ANY, SOME, Pattern


def allows_origin(policy: Mapping[str, Any], origin: str) -> bool:
    """Whether an origin is one that the policy names."""
    found = _allows_origin(policy, origin)
    if watching.by is not None:
        watching.by.header("origin", _origin_patterns(policy), (origin,), found)
    return found


def _origin_patterns(policy: Mapping[str, Any]) -> tuple[Pattern, ...]:
    named = [
        ANY if kind == "exact" and item[kind] == "*" else pattern_of(StringMatch(kind, item[kind]))
        for item in policy.get("allowOrigins") or ()
        for kind in ("exact", "prefix", "regex")
        if item.get(kind) is not None
    ]
    return (*named, *(ANY if item == "*" else Pattern("exact", item) for item in policy.get("allowOrigin") or ()))


def _allows_origin(policy: Mapping[str, Any], origin: str) -> bool:
    for item in policy.get("allowOrigins") or ():
        for kind in ("exact", "prefix", "regex"):
            if item.get(kind) is not None and (
                text_matches(StringMatch(kind, item[kind]), origin) or (kind == "exact" and item[kind] == "*")
            ):
                return True
    return any(item in ("*", origin) for item in policy.get("allowOrigin") or ())


def is_preflight(method: str, headers: Mapping[str, Sequence[str]]) -> bool:
    """Whether the CORS filter takes a request for a preflight."""
    found = method == "OPTIONS"
    if watching.by is not None:
        watching.by.text("method", (Pattern("exact", "OPTIONS"),), method, found)
    for name in ("origin", "access-control-request-method"):
        if found:
            found = bool(headers.get(name, ("",))[0])
            if watching.by is not None:
                watching.by.header(name, (SOME,), headers.get(name), found)
    return found


def response_headers(policy: Mapping[str, Any], origin: str, preflight: bool) -> dict[str, str]:
    """The access-control headers of an answer to an allowed origin."""
    out = {"access-control-allow-origin": origin}
    if policy.get("allowCredentials") is True:
        out["access-control-allow-credentials"] = "true"
    if preflight:
        for header, key in (("access-control-allow-methods", "allowMethods"), ("access-control-allow-headers", "allowHeaders")):
            if policy.get(key):
                out[header] = ",".join(policy[key])
        if policy.get("maxAge"):
            out["access-control-max-age"] = _seconds(policy["maxAge"])
    elif policy.get("exposeHeaders"):
        out["access-control-expose-headers"] = ",".join(policy["exposeHeaders"])
    return out


def _seconds(text: Any) -> str:
    units = {"h": 3600, "m": 60, "s": 1}
    total, number = 0.0, ""
    for letter in str(text):
        if letter in units:
            total, number = total + float(number or 0) * units[letter], ""
        else:
            number += letter
    return str(int(total if not number else float(number)))


def answer(policy: Mapping[str, Any], method: str, headers: Mapping[str, Sequence[str]], by: Mention) -> Station | None:
    """What the policy does to a request with an Origin: answers a preflight, or adds headers to whatever answer comes; None for nothing."""
    origin = headers["origin"][0]
    allowed, first = allows_origin(policy, origin), is_preflight(method, headers)
    if allowed:
        symptom = Symptom("http", 200 if first else None, "", response_headers(policy, origin, first))
        why = f"preflight of {origin} answered" if first else f"adds Access-Control-Allow-Origin: {origin} to the answer"
        return Station("cors", "", ALLOWED, why, (by,), symptom=symptom, decider=by, answers=first)
    if first and policy.get("unmatchedPreflights") == "IGNORE":
        why = f"preflight answered without CORS headers: {origin} is not allowed"
        return Station("cors", "", ALLOWED, why, (by,), symptom=Symptom("http", 200, "", {}), decider=by, answers=True)
    return None
