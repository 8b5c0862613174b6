"""How calls enter: through gateways and ingress controllers.

find.py           which entry points a call may take
ways.py           every way from outside
client.py         which address an entry point sees as the client's
hints.py          why no route takes a request
certificates.py   whether a TLS server has its certificate
gates.py          load balancer and network policies before its pods
config.py         what a gateway's pods are configured with
envoy.py          what an Envoy gateway makes of a call, up to the workload that it sends it to
edge.py           the headers that a gateway's filters and routes see
isolation.py      listeners that share a port
gateway_api.py    the pods of a Gateway of Gateway API
ingress_nginx.py  what ingress-nginx makes of a call, in the order of nginx's phases
ingress_guards.py who may pass a location of ingress-nginx
ingress_pods.py   from a location of ingress-nginx to the pods
other_ingress.py  what other controllers make of a call
"""

from meshcheck.semantics.entry.find import entries
from meshcheck.semantics.entry.passed import Entry, Passed

__all__ = ["Entry", "Passed", "entries"]
