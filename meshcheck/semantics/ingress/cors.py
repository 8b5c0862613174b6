"""CORS of ingress-nginx: `enable-cors`.

Source: kubernetes/ingress-nginx:internal/ingress/annotations/cors, template/template.go:buildCorsOriginRegex, nginx.tmpl (CORS).
"""

from __future__ import annotations

import re

from meshcheck.model.ingress import Ingress
from meshcheck.semantics.ingress.annotations import flag, number, text

_METHODS = "GET, PUT, POST, DELETE, PATCH, OPTIONS"
_HEADERS = "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization"


def is_on(ingress: Ingress) -> bool:
    """Whether an Ingress has CORS."""
    return flag(ingress, "enable-cors")


def origins(ingress: Ingress) -> list[str]:
    """The origins that count: `*` where the annotation is missing or not valid; entries without a scheme are skipped."""
    written = text(ingress, "cors-allow-origin")
    if written is None:
        return ["*"]
    parts = [part.strip() for part in written.split(",") if part.strip()]
    if "*" in parts:
        return ["*"]
    return [part for part in parts if re.fullmatch(r"[a-z]+://(\*\.)?[A-Za-z0-9\-.]*(:\d+)?|null", part)]


def headers_for(ingress: Ingress, origin: str) -> dict[str, str] | None:
    """The headers that every answer to an origin gets; None for an origin that is not allowed."""
    wanted = origins(ingress)
    if wanted == ["*"]:
        allowed = "*"
    elif any(re.search(f"({_pattern(item)})$", origin, re.IGNORECASE) for item in wanted):  # nothing holds its start
        allowed = origin
    else:
        return None
    out = {
        "access-control-allow-origin": allowed,
        "access-control-allow-methods": text(ingress, "cors-allow-methods") or _METHODS,
        "access-control-allow-headers": text(ingress, "cors-allow-headers") or _HEADERS,
        "access-control-max-age": str(number(ingress, "cors-max-age", 1728000)),
    }
    if flag(ingress, "cors-allow-credentials", True):
        out["access-control-allow-credentials"] = "true"
    if exposed := text(ingress, "cors-expose-headers"):
        out["access-control-expose-headers"] = exposed
    return out


def _pattern(origin: str) -> str:
    return r"[A-Za-z0-9\-]+".join(re.escape(part) for part in origin.split("*", 1))
