"""Who may know a way out, by the station that refuses. Each candidate is tried, so it does no harm to ask one too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from meshcheck.explain.fixes.case import Candidate, Case

Source = Callable[[Case], Iterator[Candidate]]

_BY_STATION: dict[str, tuple[str, ...]] = {
    "load-balancer": ("services.source_ranges",),
    "dns": ("network_policy.candidates",),
    "network-policy": ("network_policy.candidates",),
    "service": ("services.ports",),
    "client-sidecar": ("routes.candidates", "gateway_api.candidates", "outbound.candidates", "services.ports"),
    "mtls": ("outbound.candidates", "identity.candidates", "peer_authentication.candidates"),
    "http": ("services.protocols",),
    "custom": ("authorization.candidates", "services.protocols"),
    "authorization": (
        "routes.removed_headers", "tokens.kept_header", "authorization.candidates", "tokens.verified_here", "services.protocols",
        "identity.candidates",
    ),
    "request-authentication": ("tokens.candidates",),
    "listener": ("gateways.candidates", "services.ports"),
    "tls": ("gateways.candidates",),
    "route": ("routes.candidates", "gateways.candidates", "gateway_api.candidates", "ingress.candidates"),
    "access": ("ingress.lists",),
    "fault": ("routes.candidates",),
    "cors": ("browser.candidates",),
    "application": ("nginx.candidates",),
}  # fmt: skip


def candidates_for(case: Case) -> Iterator[Candidate]:
    """Candidates for a refused call, the likeliest first."""
    for name in _BY_STATION.get(case.station.name, ()):
        yield from _source(name)(case)
    if case.question.origin is not None and case.station.name != "cors":
        yield from _source("browser.candidates")(case)


def _source(name: str) -> Source:
    """`MODULE.FUNCTION` of this package; a module is loaded when a call is refused at its station, for a trace starts anew each time."""
    module, _, function = name.partition(".")
    found: Source = getattr(import_module(f"meshcheck.explain.fixes.{module}"), function)
    return found
