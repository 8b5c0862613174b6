"""The CORS policies of routes, and preflights that they would answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.model.objects import Meta, Path
from meshcheck.semantics.gateway_api.conversion import origin_matchers
from meshcheck.semantics.routing.cors import allows_origin

CorsPolicy = tuple[Meta, Path, Mapping[str, Any]]
"""(owner, path of the policy, the policy as a VirtualService writes it)."""
_EMPTY: Mapping[str, Any] = {}


def cors_policies(evidence: Evidence) -> tuple[CorsPolicy, ...]:
    """All CORS policies of VirtualServices and HTTPRoutes."""
    return evidence.once("cors policies", lambda: (*_of_virtual_services(evidence), *_of_http_routes(evidence)))


def _of_virtual_services(evidence: Evidence) -> Iterator[CorsPolicy]:
    for virtual in evidence.of("VirtualService"):
        for route in virtual.http:
            if route.cors is not None:
                yield virtual.meta, (*route.field, "corsPolicy"), route.cors


def _of_http_routes(evidence: Evidence) -> Iterator[CorsPolicy]:
    for route in evidence.of("HTTPRoute"):
        rules = (evidence.raw(route.meta).get("spec") or _EMPTY).get("rules") or ()
        for n, rule in enumerate(rules):
            for m, item in enumerate(rule.get("filters") or ()):
                cors = item.get("cors") if item.get("type") == "CORS" else None
                if cors is not None:
                    policy = {**cors, "allowOrigins": origin_matchers(cors.get("allowOrigins") or ())}
                    yield route.meta, ("spec", "rules", n, "filters", m, "cors"), policy


def allowed_origin(policy: Mapping[str, Any]) -> str | None:
    """An origin that a policy allows; None where none comes to mind."""
    written = [text for item in policy.get("allowOrigins") or () for text in item.values() if isinstance(text, str)]
    written += [text for text in policy.get("allowOrigin") or () if isinstance(text, str)]
    tries = [text.replace(".*", "app").replace("*", "app").replace("\\", "").strip("^$") for text in written]
    for origin in (*written, *tries, *(f"{text}.example" for text in tries), "https://app.example.com"):
        if "://" in origin and "*" not in origin and allows_origin(policy, origin):
            return origin
    return None
