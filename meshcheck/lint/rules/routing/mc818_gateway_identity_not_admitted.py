"""A gateway routes to a workload whose policies admit no call of that gateway's service account.

## Finds

Routes of a gateway of Istio (VirtualService, HTTPRoute and the like) to workloads whose AuthorizationPolicies refuse every call of the
gateway's account, whatever the request is.

## Why it matters

Behind a gateway the policy sees the gateway's identity, not the client's. A gateway that was added, renamed or moved to another namespace
has another account: each call through it gets 403 `RBAC: access denied` from the workload, while calls inside the mesh still work.

## Avoid

```yaml
# the gateway runs as istio-ingress/public
rules:
- from: [{source: {principals: ["cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account"]}}]
```

## Prefer

```yaml
rules:
- from: [{source: {principals: ["cluster.local/ns/istio-ingress/sa/public"]}}]
```

## Exceptions

None: a route that no call can take helps nobody.

## Silent when

Policies or the gateway's pods may be elsewhere (open world); the account of the pods is not known; something before the policies stops the
gateway (MC820).
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.gateway_routes import Leg, gateways, has_known_account, legs
from meshcheck.lint.refusals import refusal
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Workload
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.model.objects import Path
from meshcheck.semantics.gateway.pods import is_gateway


@rule("MC818", "gateway-identity-not-admitted", severity="error", needs="absence", kinds=("AuthorizationPolicy", "Workload", "Service"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Gateways whose routes end at a policy."""
    known = {id(g) for g in gateways(evidence) if has_known_account(evidence, g)}
    seen: set[tuple[int, int]] = set()
    for leg in legs(evidence):
        if id(leg.gateway) not in known:
            continue
        for server in evidence.world.pods_of(leg.service):
            policy = _refusing(evidence, leg, server)
            if policy is not None and (id(leg.gateway), id(policy)) not in seen:
                seen.add((id(leg.gateway), id(policy)))
                yield _finding(evidence, leg, server, policy)


def _refusing(evidence: Evidence, leg: Leg, server: Workload) -> AuthorizationPolicy | None:
    """The policy that refuses all calls of a gateway: a DENY, or the first of the ALLOW policies of which none admits them."""
    if is_gateway(server):
        return None
    stopped = refusal(evidence, leg.gateway, leg.service, leg.port)
    if stopped is None or stopped.on_the_way or stopped.station.workload != str(server):
        return None
    policies = evidence.world.authorization_policies(server)
    denier = stopped.station.decider
    if denier is not None and stopped.station.policy_id not in (None, "none"):
        return next((p for p in policies if p.meta.ref == denier.meta.ref), None)
    allowing = [p for p in policies if p.action == "ALLOW" and not p.dry_run]
    return next((p for p in allowing if any(True for _ in _principals(p))), allowing[0] if allowing else None)


def _finding(evidence: Evidence, leg: Leg, server: Workload, policy: AuthorizationPolicy) -> Found:
    gateway, domain = leg.gateway, evidence.world.mesh.trust_domain
    principal = f"{domain}/ns/{gateway.namespace}/sa/{gateway.service_account}"
    related = [("the route", leg.owner, leg.destination.field)]
    if gateway.meta.origin is not None:
        related.append(("the gateway", gateway.meta, ("metadata", "name")))
    if policy.action == "DENY":
        message = f"{gateway} routes to {server} with identity `{principal}`, and this DENY refuses all its calls: each one gets 403"
        return found(policy.meta, ("spec",), message, *related)
    message = f"{gateway} routes to {server} with identity `{principal}`, which no ALLOW rule admits: each call through it gets 403"
    path = next(_principals(policy), None)
    fix = adding(policy.meta, (*path, "-"), principal, f"admit the gateway's account `{principal}`", safe=False) if path else None
    return found(policy.meta, path or ("spec", "rules" if policy.rules else "action"), message, *related, fix=fix)


def _principals(policy: AuthorizationPolicy) -> Iterator[Path]:
    """Places of the lists of callers of a policy."""
    for one in policy.rules:
        for source in one.sources:
            yield from (field.path for field in source if field.name == "principals" and not field.negated)
