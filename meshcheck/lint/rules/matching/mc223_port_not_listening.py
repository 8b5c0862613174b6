"""A rule names a port that no selected workload declares and no Service leads to.

## Finds

`ports` and `destination.port` with a number that is neither a port of a container of the selected workloads nor a target of their Services.

## Why it matters

The rule is dead, or the port is one that nobody wrote down: containers may listen on ports that they do not declare.

## Avoid

```yaml
ports: ["8008"]   # the container has 8080
```

## Prefer

```yaml
ports: ["8080"]
```

## Exceptions

Containers with undeclared ports; therefore the confidence is low.

## Silent when

The world is open: what is missing may be in another file. No workload is selected. Ports of Services are MC222's.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.fields import fields_of, values_of
from meshcheck.lint.ports import PORT_FIELDS, ports_of, service_ports
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import applies_to
from meshcheck.semantics.gateway.pods import is_gateway


@rule("MC223", "port-not-listening", severity="warning", confidence="low", needs="absence", kinds=("Workload", "Service"))
def check(evidence: Evidence) -> Iterator[Found]:
    """Ports that nothing declares."""
    for policy, _, field in fields_of(evidence, *PORT_FIELDS):
        workloads = applies_to(evidence, policy) if not field.negated else ()
        known = {p.number for w in workloads for p in ports_of(evidence, w)} | {
            p.number for w in workloads for _, p in service_ports(evidence, w)
        }
        if known and not any(is_gateway(w) for w in workloads):
            for path, value in values_of(field):
                if value.isdigit() and int(value) not in known:
                    yield found(policy.meta, path, f"no selected workload declares port {value}, and no Service leads to it")
