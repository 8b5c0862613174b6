"""A host has no variant with a port, so clients that send the port do not match.

## Finds

`hosts` and `notHosts` without a port where the list has neither `HOST:*` nor a wildcard that covers it.

## Why it matters

The Host header is compared with its port, while routes ignore it. `shop.example.com:443` reaches the same route as `shop.example.com`: it
walks around a DENY for the bare name, and misses an ALLOW. Inside the mesh every call to a port other than 80 carries the port.

## Avoid

```yaml
action: DENY
rules:
- to:
  - operation: {hosts: ["admin.example.com"]}
```

## Prefer

```yaml
action: DENY
rules:
- to:
  - operation: {hosts: ["admin.example.com", "admin.example.com:*"]}
```

## Exceptions

An ALLOW for clients that are known to use the default port: that finding has low
confidence, unless the host is a Service with another port than 80.

## Silent when

Never: one document is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import fields_of, values_of
from meshcheck.lint.patterns import covers
from meshcheck.lint.repair import adding
from meshcheck.lint.rule import Found, found, rule
from meshcheck.semantics.world.hosts import service_name
from meshcheck.semantics.world.world import World


@rule("MC219", "host-without-port", severity="warning", confidence="medium", needs="document")
def check(evidence: Evidence) -> Iterator[Found]:
    """Hosts that a port in the Host header keeps from matching."""
    for policy, _, field in fields_of(evidence, "hosts"):
        given = tuple(value.lower() for value in field.values)
        closes = (policy.action == "DENY") is not field.negated
        for path, value in values_of(field):
            if ":" in value or value.endswith("*") or any(covers(other, f"{value.lower()}:*") for other in given) or _ports(given, value):
                continue
            port, inside = _port(evidence.world, value, policy.meta.namespace)
            fix = adding(policy.meta, (*field.path, "-"), f"{value}:*", f"add `{value}:*`")
            gap = f"`{value}:{port}` goes to the same route and " + ("is not refused" if closes else "does not match")
            if closes or (inside and port != 80):
                yield found(policy.meta, path, f"{gap}; add `{value}:*`", fix=fix)
            else:
                yield found(policy.meta, path, f"{gap}; add `{value}:*`", fix=fix, severity="info", confidence="low")


def _port(world: World, host: str, namespace: str) -> tuple[int, bool]:
    """(a port with which clients may write the host, whether it is a Service's name)."""
    names = service_name(host, namespace, world) if "*" not in host else None
    service = world.service(*names) if names else None
    if service is None:
        return 443, host.endswith((".svc", ".svc.cluster.local"))
    return next((port.number for port in service.ports if port.number != 80), 80), True


def _ports(given: tuple[str, ...], value: str) -> bool:
    """Whether the list names ports of the host, one by one."""
    return any(other.startswith(f"{value.lower()}:") for other in given)
