"""A Sidecar's list of hosts leaves out a Service that the workload is told to call.

## Finds

Sidecars whose `egress` hosts do not hold a Service that a workload under them is told (by environment or arguments) to call.

## Why it matters

The workload's proxy does not know the Service. With REGISTRY_ONLY the call ends at the caller, with 502 or a reset. Otherwise it is passed
through in plaintext: without an identity, without routes and retries, and refused where mTLS is STRICT.

## Avoid

```yaml
kind: Sidecar
spec: {egress: [{hosts: ["./*", "istio-system/*"]}]}
---
env: [{name: CATALOG, value: "http://catalog.warehouse:80"}]
```

## Prefer

```yaml
kind: Sidecar
spec: {egress: [{hosts: ["./*", "istio-system/*", "warehouse/catalog.warehouse.svc.cluster.local"]}]}
```

## Exceptions

An address that the application holds and never calls.

## Silent when

No manifest says that the call is made; the Service is hidden by its own `exportTo` (MC825); the port is excluded from the caller's sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.known_calls import KnownCall, known_calls
from meshcheck.lint.proxies import servers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_networking import Sidecar
from meshcheck.semantics.outbound.client import captured
from meshcheck.semantics.outbound.scope import is_visible, knows_service, scope_of
from meshcheck.semantics.world.sidecars import sidecar_of


@rule("MC906", "sidecar-hides-host", severity="warning", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """One finding for each Sidecar and Service."""
    hidden: dict[tuple[int, str], tuple[Sidecar, KnownCall, str]] = {}
    for caller in servers(evidence) if evidence.of("Sidecar") else ():
        scope = scope_of(evidence.world, caller)
        if scope.sidecar is None or scope.sidecar.egress is None or not sidecar_of(evidence.world, caller).present:
            continue
        for call in known_calls(evidence, caller):
            number = call.port.number
            if not captured(caller, number) or not is_visible(evidence.world, call.service, caller.namespace):
                continue
            if not knows_service(evidence.world, scope, caller, call.service, number):
                hidden.setdefault((id(scope.sidecar), call.service.host), (scope.sidecar, call, scope.outbound_mode))
    for sidecar, call, mode in hidden.values():
        name = f"{call.service.namespace}/{call.service.name}"
        end = "end at its sidecar (REGISTRY_ONLY)" if mode == "REGISTRY_ONLY" else "pass in plaintext, without identity and routes"
        message = f"leaves out {name}, which {call.caller} is told to call: the calls {end}"
        yield found(sidecar.meta, ("spec", "egress"), message, ("told here", call.caller.meta, call.field))
