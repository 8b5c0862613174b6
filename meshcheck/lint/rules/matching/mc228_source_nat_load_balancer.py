"""A rule compares client addresses, and the Service before it puts a node's address in their place.

## Finds

`ipBlocks`, `remoteIpBlocks`, their not-twins and conditions in policies for a gateway, or for a sidecar that is open to the outside by
itself, whose Service of type LoadBalancer or NodePort has `externalTrafficPolicy: Cluster` (the default).

## Why it matters

The node that accepts the connection forwards it with its own address. An ALLOW for client addresses admits nobody from outside, and a DENY
blocks nobody; which node it is changes from call to call.

## Avoid

```yaml
kind: Service
spec:
  type: LoadBalancer   # externalTrafficPolicy: Cluster
```

## Prefer

```yaml
kind: Service
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
```

## Exceptions

Networks that keep the address anyway (Cilium with DSR, load balancers with pods as targets; the annotations of AWS for the latter are
known).

## Silent when

The Service is not in the input. `remoteIpBlocks` where the gateway trusts proxies before it or takes the PROXY protocol.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.client_addresses import CLIENT, PEER, address_fields, enforcing, hiding_service, topology_of
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Service, Workload
from meshcheck.model.istio_security import AuthorizationPolicy, Field


@rule("MC228", "source-nat-load-balancer", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Addresses of clients behind Services that hide them."""
    for policy, _, _, field in address_fields(evidence, PEER | CLIENT):
        if (hit := _hidden(evidence, policy, field)) is not None:
            workload, service = hit
            name = f"{service.namespace}/{service.name}"
            words = (
                f"{workload} sees a node's address here, not the client's: Service {name} has externalTrafficPolicy Cluster; set `Local`"
            )
            fix = adding(
                service.meta, ("spec", "externalTrafficPolicy"), "Local", f"set externalTrafficPolicy of {name} to Local", safe=False
            )
            yield found(policy.meta, field.path, words, ("the Service", service.meta, ("spec", "type")), fix=fix)


def _hidden(evidence: Evidence, policy: AuthorizationPolicy, field: Field) -> tuple[Workload, Service] | None:
    """A workload that the policy applies to, and the Service that hides its clients."""
    for gateways in (True, False):
        for workload in enforcing(evidence, policy, gateways=gateways):
            topology = topology_of(evidence, workload)
            told = gateways and field.name in CLIENT and (topology.proxy_protocol or topology.trusted_proxies)
            service = None if told else hiding_service(evidence, workload)
            if service is not None:
                return workload, service
    return None
