"""A rule compares the original client's address where it may be forged, or taken from the wrong place.

## Finds

`remoteIpBlocks`, `notRemoteIpBlocks` and `remote.ip` in policies for a sidecar that other workloads of the mesh may call, unless the rule
also asks for an identity; and in policies for a gateway behind an Ingress of the input, or behind a load balancer that speaks the PROXY
protocol, without `gatewayTopology`.

## Why it matters

A sidecar takes the last entry of `X-Forwarded-For`, whoever wrote it: any caller inside the mesh can be any address. A gateway that was not
told about the proxies before it takes the address of the last one (istio/istio#22341, istio/istio#55722).

## Avoid

```yaml
kind: AuthorizationPolicy
metadata: {namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  rules: [{from: [{source: {remoteIpBlocks: [203.0.113.0/24]}}]}]
```

## Prefer

```yaml
rules:
- from:
  - source:
      remoteIpBlocks: [203.0.113.0/24]
      principals: [cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account]
```

## Exceptions

A workload that only the gateway can reach, for reasons that are not in the input.

## Silent when

The workload or what stands before the gateway is not in the input. Every ALLOW rule that applies to the workload asks for an identity.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.client_addresses import CLIENT, address_fields, enforcing, topology_of
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.plaintext import IDENTITY, groups
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import Field
from meshcheck.model.objects import Meta


@rule("MC227", "remote-ip-without-trust", severity="warning", confidence="medium", needs="documents", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Addresses that cannot be relied on."""
    for policy, _, group, field in address_fields(evidence, CLIENT):
        for gateway in enforcing(evidence, policy, gateways=True):
            topology = topology_of(evidence, gateway)
            trusting = topology.trusted_proxies or topology.proxy_protocol
            front = None if trusting else _front(evidence, gateway)
            if front is not None:
                what, meta = front
                words = f"{gateway} takes the address of {what} for the client's: gatewayTopology says nothing about what stands before it"
                yield found(policy.meta, field.path, words, ("what stands before it", meta, ("metadata", "name")))
                break
        asked = policy.action == "ALLOW" and any(f.name in IDENTITY and not f.negated for f in group)
        server = None if asked else next((w for w in enforcing(evidence, policy, gateways=False) if _open(evidence, w)), None)
        if server is not None:
            words = (
                f"any caller in the mesh can forge this at {server}: a sidecar takes the last entry of X-Forwarded-For, whoever wrote it"
            )
            hint = "; ask for the gateway's identity as well" if policy.action == "ALLOW" else "; compare it at the gateway"
            yield found(policy.meta, field.path, words + hint)


def _open(evidence: Evidence, workload: Workload) -> bool:
    """Whether a caller may get to the workload without an identity that a policy names."""
    allowing = [p for p in evidence.world.authorization_policies(workload) if p.action == "ALLOW" and not p.dry_run]
    return not allowing or any(not _asks(group) for p in allowing for r in p.rules for group in groups(r))


def _asks(group: tuple[Field, ...]) -> bool:
    return any(f.name in IDENTITY and not f.negated for f in group)


def _front(evidence: Evidence, gateway: Workload) -> tuple[str, Meta] | None:
    """What stands before a gateway's Services, in words, and the object that shows it."""
    names = {(s.namespace, s.name): s for s in evidence.world.services_of(gateway)}
    for service in names.values():
        for key, value in service.meta.annotations.items():
            if key.endswith("proxy-protocol") and value not in ("", "false", "none"):
                return "a load balancer that speaks the PROXY protocol", service.meta
    for ingress in evidence.of("Ingress"):
        backends = [ingress.default_backend, *(path.backend for one in ingress.rules for path in one.paths)]
        if any(b is not None and (ingress.meta.namespace, b.service) in names for b in backends):
            return f"the proxies of Ingress {ingress.meta.namespace}/{ingress.meta.name}", ingress.meta
    return None
