"""Two Gateways on the same pods want the same port in ways that exclude each other; one of the servers is left out.

## Finds

Servers of Gateways, and listeners of Gateway API, that Istio leaves out because of another one on the same port: the same TLS host again,
HTTP beside plain TCP, two HTTPS servers with one name.

## Why it matters

The first Gateway by age has the port. Routes on the other are never reached, and nobody is told.

## Avoid

```yaml
kind: Gateway
metadata: {namespace: shop}
spec: {selector: {istio: ingress}, servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*.example.com"]}]}
---
kind: Gateway
metadata: {namespace: blog}          # the same host on the same port
spec: {selector: {istio: ingress}, servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*.example.com"]}]}
```

## Prefer

```yaml
kind: VirtualService                 # both on one Gateway
spec: {gateways: [istio-ingress/public]}
```

## Exceptions

HTTP servers with one host on several Gateways are merged, and nothing is said of them.

## Silent when

The Gateways are for different pods.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.gateway_routes import gateways
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.semantics.entry.config import config_of
from meshcheck.semantics.gateway_api.listeners import members_of

_CONFLICTS = ("port ", "another listener ")
"""How the reason begins where another listener has the place."""


@rule("MC809", "gateway-conflict", severity="warning", needs="document", audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Servers that are left out."""
    seen = set()
    for pod in gateways(evidence):
        for number, port in config_of(evidence.world, pod).ports.items():
            for bound, why in port.skipped:
                key = bound.gateway.meta.ref, bound.server.field
                if key not in seen:
                    seen.add(key)
                    others = [
                        b for b in (*port.plain, *port.tls) if why.endswith(b.gateway_name) or set(b.sni_hosts) & set(bound.sni_hosts)
                    ]
                    related = [("has the port", b.gateway.meta, b.server.field) for b in others[:1]]
                    yield found(bound.gateway.meta, bound.server.field, f"left out on port {number} of {_pods(pod)}: {why}", *related)
    for gateway in evidence.of("Gateway"):
        for member in members_of(evidence.world, gateway):
            if member.refused is not None and member.refused.startswith(_CONFLICTS):
                yield found(member.owner, member.listener.field, f"listener `{member.listener.name}` is left out: {member.refused}")


def _pods(gateway: Workload) -> str:
    """The pods by name, or by the labels that they are to have where they are not in the input."""
    labels = ", ".join(f"{key}: {value}" for key, value in gateway.pod_labels.items())
    return str(gateway) if gateway.meta.origin is not None else f"the pods with `{labels}`"
