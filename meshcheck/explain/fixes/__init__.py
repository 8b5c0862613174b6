"""Smallest changes that let a call through, each tried out before it is offered.

search.py          candidates are tried, combined where several stations refuse, and ranked
case.py            a refused call, and a candidate; steps of a patch
variant.py         the World with some objects changed
by_station.py      who may know a way out, by the station that refuses
opens.py           what else a change opens
authorization.py   rules of AuthorizationPolicies: near misses, new rules, exceptions from DENY
identity.py        callers without an identity: injection, excluded ports, Sidecars, DestinationRules
peer_authentication.py  modes of ports
tokens.py          RequestAuthentication
network_policy.py  NetworkPolicies and their admin tiers
calico.py          Calico's policies
cilium.py          policies of Cilium
wire.py            the connection that they refuse
services.py        Services: ports, protocols, load balancers
outbound.py        hosts that the caller's sidecar does not know
routes.py          routes of the mesh: faults, matches, subsets, destinations
gateways.py        Istio's gateways
gateway_api.py     Gateway API
ingress.py         Ingress and ingress-nginx
nginx.py           an nginx in the called workload
browser.py         CORS
"""

from meshcheck.explain.fixes.search import fixes_of

__all__ = ["fixes_of"]
