"""CORS of ingress-nginx: `enable-cors`.

Source: kubernetes/ingress-nginx:internal/ingress/annotations/cors, template/template.go:buildCorsOriginRegex.
"""

from __future__ import annotations

import re

from meshcheck.model.ingress import Ingress
from meshcheck.semantics.ingress.objects import note

_METHODS = "GET, PUT, POST, DELETE, PATCH, OPTIONS"
_HEADERS = "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization"


def is_on(ingress: Ingress) -> bool:
    """Whether an Ingress has CORS."""
    return note(ingress, "enable-cors") == "true"


def origins(ingress: Ingress) -> list[str]:
    """The origins as they are written; `*` by default."""
    return [part.strip() for part in (note(ingress, "cors-allow-origin") or "*").split(",") if part.strip()]


def headers_for(ingress: Ingress, origin: str) -> dict[str, str] | None:
    """The headers that every answer to an origin gets; None for an origin that is not allowed."""
    wanted = origins(ingress)
    if "*" in wanted:
        allowed = "*"
    elif origin and any(re.search(f"({_pattern(item)})$", origin, re.IGNORECASE) for item in wanted if "://" in item):
        allowed = origin
    else:
        return None
    out = {
        "access-control-allow-origin": allowed,
        "access-control-allow-methods": note(ingress, "cors-allow-methods") or _METHODS,
        "access-control-allow-headers": note(ingress, "cors-allow-headers") or _HEADERS,
        "access-control-max-age": note(ingress, "cors-max-age") or "1728000",
    }
    if note(ingress, "cors-allow-credentials") != "false":
        out["access-control-allow-credentials"] = "true"
    return out


def _pattern(origin: str) -> str:
    return r"[A-Za-z0-9\-]+".join(re.escape(part) for part in origin.split("*"))
