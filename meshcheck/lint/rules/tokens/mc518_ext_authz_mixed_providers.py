"""One workload has CUSTOM policies with different authorizers, so all of them deny.

## Finds

Workloads and gateways to which CUSTOM policies with more than one `provider` apply.

## Why it matters

By default Istio supports one authorizer for each workload. With a second one it turns the rules of all of them into DENY: what worked with
the first policy gets 403 as soon as the second is applied.

## Avoid

```yaml
# two policies on app=cart
provider: {name: oauth2-proxy}
provider: {name: opa}
```

## Prefer

```yaml
provider: {name: opa}          # one authorizer that asks the other, or one policy less
```

## Exceptions

istiod runs with `PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS=true`: where its Deployment in the input says so, the rule is silent.

## Silent when

The policies apply to no proxy that is known.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import listed, proxies
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_security import AuthorizationPolicy
from meshcheck.semantics.world.control_plane import SEVERAL_AUTHORIZERS, switched


@rule("MC518", "ext-authz-mixed-providers", severity="error", needs="documents", audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Authorizers that shut each other out."""
    mixed: dict[AuthorizationPolicy, tuple[AuthorizationPolicy, list[str]]] = {}
    for workload in proxies(evidence):
        custom = [p for p in evidence.world.authorization_policies(workload) if p.action == "CUSTOM"]
        other = next((p for p in custom if p.provider != custom[0].provider), None)
        if other is not None:
            mixed.setdefault(other, (custom[0], []))[1].append(str(workload))
    if not mixed or switched(evidence.world, SEVERAL_AUTHORIZERS):
        return
    for policy, (first, names) in mixed.items():
        message = (
            f"{listed(names)} has authorizer `{first.provider}` of {first.meta.namespace}/{first.meta.name}, too:"
            " with two of them Istio denies what the rules of either match"
        )
        yield found(policy.meta, ("spec", "provider", "name"), message, ("the other authorizer", first.meta, ("spec", "provider", "name")))
