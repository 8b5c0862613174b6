"""A principal is not of the form `TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT`, so it never matches.

## Finds

`principals`, `notPrincipals` and `source.principal` that no identity of the mesh can have: without a trust domain, with a name in place of
the five parts, or with a star inside.

## Why it matters

The value is compared with the identity as text. What has not its form matches nobody; a `notPrincipals` then excludes nobody.

## Avoid

```yaml
principals: ["shop/frontend", "cluster.local/ns/*/sa/frontend", "system:serviceaccount:shop:frontend"]
```

## Prefer

```yaml
principals: ["cluster.local/ns/shop/sa/frontend", "*/sa/frontend"]
```

## Exceptions

A gateway with `MUTUAL` TLS whose clients have SPIFFE identities of another form: values that begin with a domain with a dot, of another
trust domain, are left alone.

## Silent when

Never: one document is enough. Principals with `spiffe://` are MC202's.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import texts_of
from meshcheck.lint.patterns import is_regex
from meshcheck.lint.rule import Found, found, rule


@rule("MC203", "malformed-principal", severity="error", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Principals that no workload has."""
    domains = evidence.world.mesh.trust_domains
    for policy, path, value in texts_of(evidence, "principals", "source.principal"):
        if not value.lower().startswith("spiffe://") and not is_regex(value) and (why := _trouble(value, domains)):
            yield found(policy.meta, path, f"`{value}` never matches: {why}")


def _trouble(value: str, domains: tuple[str, ...]) -> str | None:
    """Why no identity has this form; None where one may."""
    inner = value[1:] if value.startswith("*") else value.removesuffix("*")
    if "*" in inner:
        return "a star inside is a plain character; only one at the start or the end counts"
    if value.startswith("system:serviceaccount:"):
        parts = value.split(":")
        meant = f"TRUST_DOMAIN/ns/{parts[2]}/sa/{parts[3]}" if len(parts) == 4 else "TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT"
        return f"this is Kubernetes' name of a service account; write `{meant}`"
    if value.startswith("/"):
        return "it begins with a slash"
    if value.startswith("*"):
        return None
    parts = value.split("/")
    if parts[0] == "ns" and (len(parts) == 4 or value.endswith("*")):
        return f"the trust domain is missing; write `{domains[0]}/{value}`, or `*/{value}` for any"
    if value.endswith("*"):
        return None
    if len(parts) == 1:
        return "an identity is `TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT`"
    if len(parts) == 5 and parts[1::2] == ["ns", "sa"]:
        return None if all(parts) else "a part of `TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT` is empty"
    if "." in parts[0] and parts[0] not in domains and parts[0] != "cluster.local":
        return None
    if len(parts) == 2:
        return f"an identity has five parts; write `{domains[0]}/ns/{parts[0]}/sa/{parts[1]}` if that is meant"
    return "it is not of the form `TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT`"
