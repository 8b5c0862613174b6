"""Redirects, error pages and sizes of ingress-nginx.

Source: kubernetes/ingress-nginx:internal/ingress/annotations/{redirect,rewrite,customhttperrors,defaultbackend},
internal/ingress/controller/template/{configmap.go,template.go:isValidByteSize}.
"""

from __future__ import annotations

import re

from meshcheck.model.ingress import Ingress
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.ingress.annotations import note, number, text
from meshcheck.semantics.ingress.controller import Controller

_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class Redirect(NamedTuple):
    """Where a location sends all its requests."""

    url: str
    code: int
    annotation: str


def redirect_of(ingress: Ingress) -> Redirect | None:
    """`temporal-redirect`, else `permanent-redirect`; None when the location has neither, or one that is not read.

    Only a temporal one must be a URL: what a permanent one says is sent as it is.
    """
    for name, default, last in (("temporal-redirect", 302, 307), ("permanent-redirect", 301, 308)):
        if note(ingress, name) is not None and not (note(ingress, name) or "").strip():
            return None
        url = text(ingress, name)
        if url:
            status = number(ingress, f"{name}-code", default)
            read = name == "permanent-redirect" or re.match(r"(?i)https?[A-Za-z0-9+.-]*:", url)
            return Redirect(url, status if 300 <= status <= last else default, name) if read else None
    return None


def app_root(ingress: Ingress) -> str | None:
    """Where `/` of the host leads."""
    found = text(ingress, "app-root")
    return found if found and found.startswith("/") else None


def code(controller: Controller) -> int:
    """`http-redirect-code`."""
    found = controller.text("http-redirect-code").strip()
    return int(found) if found in ("301", "302", "307", "308") else 308


def byte_size(written: str) -> int:
    """A size in bytes; 0 for no limit."""
    match = re.fullmatch(r"(\d+)([bkmg]?)", written.strip().lower())
    return int(match[1]) * _UNITS[match[2]] if match else 0


def custom_errors(controller: Controller, ingress: Ingress | None) -> tuple[str, ...]:
    """The statuses that the default backend answers instead: the Ingress's own, else those of the ConfigMap."""
    own = text(ingress, "custom-http-errors") if ingress is not None else None
    listed = own if own is not None else controller.text("custom-http-errors")
    return tuple(part.strip() for part in listed.split(",") if part.strip())


def error_page_service(controller: Controller, ingress: Ingress | None) -> str | None:
    """The Service that answers instead; None for the controller's own 404."""
    own = text(ingress, "default-backend") if ingress is not None and text(ingress, "custom-http-errors") else None
    if own is not None and ingress is not None:
        return f"{ingress.meta.namespace}/{own}"
    return controller.option("default-backend-service") or None
