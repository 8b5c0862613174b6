"""An external authorizer that lets requests pass when it does not answer.

## Finds

CUSTOM policies whose extensionProvider has `failOpen: true`.

## Why it matters

Every error of the authorizer opens the door: a crash, a timeout, a NetworkPolicy, a wrong port. Who can overload it can get in.

## Avoid

```yaml
envoyExtAuthzGrpc: {service: opa.auth.svc.cluster.local, port: 9191, failOpen: true}
```

## Prefer

```yaml
envoyExtAuthzGrpc: {service: opa.auth.svc.cluster.local, port: 9191}
```

## Exceptions

The authorizer only adds something (a quota, a log) to what other policies decide. Say so in the suppression.

## Silent when

Mesh config is not in the input.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.objects import Meta, Path


@rule("MC520", "ext-authz-fail-open", severity="warning", needs="documents", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Authorizers whose silence is a yes."""
    mesh = evidence.world.mesh
    open_ones = {provider.name for provider in mesh.providers if provider.fail_open}
    for policy in evidence.of("AuthorizationPolicy"):
        if policy.action == "CUSTOM" and policy.provider in open_ones:
            related: tuple[tuple[str, Meta, Path], ...] = (("mesh config", mesh.meta, ("data", "mesh")),) if mesh.meta is not None else ()
            message = f"authorizer `{policy.provider}` has failOpen: when it does not answer, what the rules match passes unchecked"
            yield found(policy.meta, ("spec", "provider", "name"), message, *related)
