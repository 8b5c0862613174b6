"""Who may know a way out, by the station that refuses. Each candidate is tried, so it does no harm to ask one too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from meshcheck.explain.fixes import (
    authorization,
    browser,
    gateway_api,
    gateways,
    identity,
    ingress,
    network_policy,
    nginx,
    outbound,
    peer_authentication,
    routes,
    services,
    tokens,
)
from meshcheck.explain.fixes.case import Candidate, Case

Source = Callable[[Case], Iterator[Candidate]]

_BY_STATION: dict[str, tuple[Source, ...]] = {
    "load-balancer": (services.source_ranges,),
    "dns": (network_policy.candidates,),
    "network-policy": (network_policy.candidates,),
    "service": (services.ports,),
    "client-sidecar": (routes.candidates, gateway_api.candidates, outbound.candidates, services.ports),
    "mtls": (outbound.candidates, identity.candidates, peer_authentication.candidates),
    "http": (services.protocols,),
    "custom": (authorization.candidates, services.protocols),
    "authorization": (
        routes.removed_headers, tokens.kept_header, authorization.candidates, tokens.verified_here, services.protocols, identity.candidates
    ),
    "request-authentication": (tokens.candidates,),
    "listener": (gateways.candidates, services.ports),
    "tls": (gateways.candidates,),
    "route": (routes.candidates, gateways.candidates, gateway_api.candidates, ingress.candidates),
    "access": (ingress.lists,),
    "fault": (routes.candidates,),
    "cors": (browser.candidates,),
    "application": (nginx.candidates,),
}  # fmt: skip


def candidates_for(case: Case) -> Iterator[Candidate]:
    """Candidates for a refused call, the likeliest first."""
    for source in _BY_STATION.get(case.station.name, ()):
        yield from source(case)
    if case.question.origin is not None and case.station.name != "cors":
        yield from browser.candidates(case)
