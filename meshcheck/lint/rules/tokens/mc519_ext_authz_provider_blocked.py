"""The mesh's own rules keep a proxy from its external authorizer, so nobody gets in.

## Finds

Workloads with a CUSTOM policy whose call to the authorizer is refused: by a NetworkPolicy, by mTLS, or by the authorizer's own
AuthorizationPolicies whatever the request is.

## Why it matters

The proxy asks the authorizer itself, with the workload's identity and address. Where it gets no answer, each call that the rules match ends
with 403 (or, with `failOpen`, passes unchecked).

## Avoid

```yaml
kind: NetworkPolicy            # of the authorizer's namespace
spec:
  podSelector: {}
  ingress: [{from: [{podSelector: {}}]}]
```

## Prefer

```yaml
kind: NetworkPolicy
spec:
  podSelector: {}
  ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 9000}]}]
```

## Exceptions

Authorizers outside the cluster are not looked at.

## Silent when

Mesh config, the authorizer or its pods are not known, or an answer hangs on a fact that is missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import governed, listed
from meshcheck.lint.refusals import refusal
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.authorization.custom import unusable


@rule(
    "MC519",
    "ext-authz-provider-blocked",
    severity="error",
    needs="absence",
    confidence="medium",
    kinds=("Workload", "Service", "NetworkPolicy", "AuthorizationPolicy", "PeerAuthentication"),
    audience="platform",
)
def check(evidence: Evidence) -> Iterator[Found]:
    """Authorizers that their askers cannot reach."""
    world = evidence.world
    by_host = {service.host: service for service in world.services}
    for policy in evidence.of("AuthorizationPolicy"):
        provider = next((p for p in world.mesh.providers if p.name == policy.provider), None)
        if policy.action != "CUSTOM" or provider is None or unusable(provider.name, provider, world):
            continue
        service = by_host.get(provider.service.rpartition("/")[2])
        port = next((p for p in service.ports if p.number == provider.port), None) if service is not None else None
        if service is None or port is None:
            continue
        shut = [(w, r) for w in governed(evidence, policy) if w.meta.origin and (r := refusal(evidence, w, service, port)) is not None]
        if shut:
            _, why = shut[0]
            end = "passes unchecked (failOpen)" if provider.fail_open else "fails"
            where = f"`{provider.name}` ({service.namespace}/{service.name}:{port.number})"
            names = listed(w for w, _ in shut)
            message = f"{names} cannot ask authorizer {where}: {why.words} stops it; each call that the rules match {end}"
            decider = why.station.decider
            related = [("what refuses it", decider.meta, decider.field)] if decider is not None else []
            yield found(policy.meta, ("spec", "provider", "name"), message, *related)
