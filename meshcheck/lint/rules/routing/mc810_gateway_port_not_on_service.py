"""A Gateway listens on a port that no Service of its pods has, so nobody gets there.

## Finds

Servers of Gateways whose port is neither a port nor a target port of any Service that selects the gateway's pods.

## Why it matters

The listener exists inside the pod, and the load balancer does not lead there: calls time out or are refused.

## Avoid

```yaml
kind: Gateway
spec: {servers: [{port: {number: 8443, name: https, protocol: HTTPS}}]}     # the Service has 80 and 443
```

## Prefer

```yaml
kind: Gateway
spec: {servers: [{port: {number: 443, name: https, protocol: HTTPS}}]}
```

## Exceptions

Pods that are reached by their own address or a port of the host are left out.

## Silent when

Pods or Services may be elsewhere (open world); the pods have no Service at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import ServicePort, Workload
from meshcheck.semantics.gateway.pods import gateway_pods
from meshcheck.semantics.tracing.server import target_number


@rule("MC810", "gateway-port-not-on-service", severity="warning", needs="absence", kinds=("Service", "Workload"), audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Ports without a way in."""
    for gateway in evidence.of("IstioGateway"):
        pods = gateway_pods(evidence.world, gateway)
        ports = [(pod, p) for pod in pods for service in evidence.world.services_of(pod) for p in service.ports]
        if not ports or any(pod.host_network for pod in pods):
            continue
        for server in gateway.servers:
            if not any(_leads(pod, port, server.port) for pod, port in ports) and not any(_on_host(pod, server.port) for pod in pods):
                service = evidence.world.services_of(ports[0][0])[0]
                there = listed((p.number for _, p in ports), 8)
                message = f"no Service of {listed(pods)} has port {server.port} (there are: {there}): nobody gets to this server"
                yield found(gateway.meta, (*server.field, "port"), message, ("the Service", service.meta, ("spec", "ports")))


def _leads(pod: Workload, port: ServicePort, number: int) -> bool:
    return port.protocol == "TCP" and number in (port.number, target_number(port, pod))


def _on_host(pod: Workload, number: int) -> bool:
    """Whether a port of the pod is one of its node, too."""
    ports = (p for c in pod.pod.get("containers") or () for p in c.get("ports") or ())
    return any(p.get("hostPort") and p.get("containerPort") == number for p in ports)
