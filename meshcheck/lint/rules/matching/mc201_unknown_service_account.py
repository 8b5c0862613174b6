"""A rule names a service account that does not exist.

## Finds

`principals`, `serviceAccounts`, their not-twins and their conditions that name, without a wildcard and in a trust domain of this mesh, an
account that no ServiceAccount, no workload and no Gateway has.

## Why it matters

An ALLOW admits nobody by it, a DENY blocks nobody: typically a typo, a renamed chart, or the account of another namespace. Nothing else
reports it.

## Avoid

```yaml
principals: [cluster.local/ns/shop/sa/frontent]
```

## Prefer

```yaml
principals: [cluster.local/ns/shop/sa/frontend]
```

## Exceptions

Accounts that a controller makes later. The root namespace counts as known only where something of it is in the input.

## Silent when

The world is open: what is missing may be in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import texts_of
from meshcheck.lint.identities import ALWAYS_THERE, account_in, known_accounts
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.world.names import nearest

_FIELDS = ("principals", "source.principal", "serviceAccounts", "source.serviceAccount")
_KINDS = ("ServiceAccount", "Workload", "Namespace", "Gateway")


@rule("MC201", "unknown-service-account", severity="warning", confidence="medium", needs="absence", kinds=_KINDS)
def check(evidence: Evidence) -> Iterator[Found]:
    """Accounts that nothing has."""
    world, known = evidence.world, known_accounts(evidence)
    for policy, path, value in texts_of(evidence, *_FIELDS):
        account = account_in(value, policy.meta.namespace, world.mesh.trust_domains)
        if account is None or account in known:
            continue
        if "/" not in value and policy.meta.namespace == world.mesh.root_namespace:
            continue  # MC207
        namespace, name = account
        if namespace == world.mesh.root_namespace and not any(space == namespace for space, _ in known):
            continue
        if namespace not in world.namespaces and namespace not in ALWAYS_THERE:
            near = nearest(namespace, list(world.namespaces))
            words, other = f"there is no namespace `{namespace}`", (near, name) if near else None
        else:
            near = nearest(name, [n for space, n in known if space == namespace])
            words, other = f"there is no service account `{name}` in namespace `{namespace}`", (namespace, near) if near else None
        if other is None:
            elsewhere = next((space for space, n in known if n == name and name != "default"), None)
            hint = f"; namespace `{elsewhere}` has one of that name" if elsewhere else ""
            yield found(policy.meta, path, f"`{value}` names nobody: {words}{hint}")
            continue
        meant = _with(value, account, other)
        fix = replacing(policy.meta, path, meant, f"write `{meant}`", safe=False)
        yield found(policy.meta, path, f"`{value}` names nobody: {words}; did you mean `{meant}`?", fix=fix)


def _with(value: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    """The value with another account in it."""
    parts = value.split("/")
    if len(parts) == 5:
        return "/".join((*parts[:2], new[0], "sa", new[1]))
    return f"{new[0]}/{new[1]}" if len(parts) == 2 or old[0] != new[0] else new[1]
