"""A policy asks for a verified token where nothing verifies tokens, so the condition can never hold.

## Finds

`requestPrincipals` and conditions `request.auth.*` of ALLOW and DENY policies on workloads and gateways to which no RequestAuthentication
applies.

## Why it matters

A request has a principal only at the proxy that verified its token. That a gateway verified it before does not count: without a
RequestAuthentication of its own the workload answers every such request with 403.

## Avoid

```yaml
kind: AuthorizationPolicy      # on app=cart; the RequestAuthentication is on the gateway only
spec:
  selector: {matchLabels: {app: cart}}
  rules:
  - from: [{source: {requestPrincipals: ["*"]}}]
```

## Prefer

```yaml
kind: RequestAuthentication    # on app=cart, too
spec:
  selector: {matchLabels: {app: cart}}
  jwtRules: [{issuer: https://idp.example.com, jwksUri: https://idp.example.com/keys}]
```

## Exceptions

An EnvoyFilter or WasmPlugin may verify tokens: workloads that have one are left out.

## Silent when

A RequestAuthentication may be elsewhere (open world), or the policy applies to no proxy that is known.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import governed, listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.tokens import authentications, enforced, may_verify, token_tests
from meshcheck.model.core import Workload
from meshcheck.semantics.tracing.proxies import compiled


@rule(
    "MC502",
    "request-principal-without-authn",
    severity="error",
    needs="absence",
    kinds=("Workload", "RequestAuthentication", "EnvoyFilter", "WasmPlugin", "TrafficExtension"),
)
def check(evidence: Evidence) -> Iterator[Found]:
    """Conditions on tokens where no token is verified."""
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action not in ("ALLOW", "DENY") or policy.dry_run:
            continue
        bare = [w for w in governed(evidence, policy) if not _verifies(evidence, w)]
        if not bare:
            continue
        near = [a for a in evidence.of("RequestAuthentication") if a.meta.namespace == policy.meta.namespace][:1]
        related = [("this RequestAuthentication does not apply there", a.meta, ("spec",)) for a in near]
        for one in enforced(compiled(evidence.world, bare[0], True)):
            if one.policy is not policy:
                continue
            for test in token_tests(one):
                effect = _effect(policy.action, test.field.negated)
                if effect:
                    message = f"no RequestAuthentication applies to {listed(bare)}, so no request has a verified token there: {effect}"
                    yield found(policy.meta, test.field.path, message, *related)


def _verifies(evidence: Evidence, workload: Workload) -> bool:
    """Whether tokens are verified for a workload, or may be by something that nobody knows here."""
    return bool(authentications(evidence, workload)) or may_verify(evidence, workload)


def _effect(action: str, negated: bool) -> str:
    if action == "ALLOW":
        return "" if negated else "this never allows anything"
    return "this denies every request that the rest of the rule means" if negated else "this never denies anything"
