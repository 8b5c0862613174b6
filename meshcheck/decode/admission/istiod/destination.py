"""Destinations of routes.

Source: istio/istio:pkg/config/validation/validation.go:validateDestination, validateHTTPRouteDestinations.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission.faults import Faults, at, below
from meshcheck.decode.admission.istiod import names
from meshcheck.decode.admission.words import shown


def destination(value: dict[str, Any] | None) -> Faults:
    """A host, a subset and a port."""
    if value is None:
        return None
    host = value["host"]
    if said := "`*` is no destination" if host == "*" else names.wildcard_domain(host):
        return at(said, "host")
    if value.get("subset") and not names.is_label(value["subset"]):
        return at(f"`{shown(value['subset'])}` is no name of a subset", "subset")
    port = value.get("port")
    return at(said, "port", "number") if port is not None and (said := names.port(port.get("number") or 0)) else None


def weighted(routes: list[dict[str, Any]]) -> Faults:
    """Destinations with their weights; several of them cannot all have weight 0."""
    for number, route in enumerate(routes):
        if bad := destination(route["destination"]):
            return below(bad, "route", number, "destination")
        if route.get("weight", 0) < 0:
            return at("must not be negative", "route", number, "weight")
    if len(routes) > 1 and not any(route.get("weight") for route in routes):
        return at("the weights of several destinations are all 0", "route")
    return None
