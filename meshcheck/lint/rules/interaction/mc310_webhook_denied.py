"""The API server calls a webhook that demands an identity of the mesh, which it has not.

## Finds

Admission and conversion webhooks, and API services, whose Service leads to pods with a sidecar that refuse a TLS connection from outside
the mesh: mTLS mode STRICT, or policies that no caller without an identity can satisfy.

## Why it matters

The API server is no part of the mesh: it speaks TLS of its own, with the webhook's certificate. Where the sidecar refuses that, admission
of every object that the webhook is asked about fails, in the whole cluster.

## Avoid

```yaml
kind: PeerAuthentication       # of the webhook's namespace
spec: {mtls: {mode: STRICT}}
```

## Prefer

```yaml
kind: PeerAuthentication
spec:
  selector: {matchLabels: {app: webhook}}
  mtls: {mode: STRICT}
  portLevelMtls: {9443: {mode: PERMISSIVE}}
```

## Exceptions

None while the webhook is registered.

## Silent when

The webhook has no Service in the input, or its pods no sidecar; the port is excluded from the sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, rule
from meshcheck.lint.webhooks import called_services
from meshcheck.model.trace import DENIED, Station
from meshcheck.semantics.tracing.server import Arrival, bypasses_sidecar, serve
from meshcheck.semantics.tracing.target import of_service
from meshcheck.semantics.world.sidecars import sidecar_of

_UNKNOWN = frozenset(["source_ip", "remote_ip", "destination_ip", "sni", "metadata"])


@rule(
    "MC310",
    "webhook-denied",
    severity="error",
    needs="absence",
    confidence="medium",
    kinds=("Workload", "Service", "PeerAuthentication", "AuthorizationPolicy"),
    audience="platform",
)
def check(evidence: Evidence) -> Iterator[Found]:
    """Webhooks behind a sidecar that refuses the API server."""
    for ref, origin, field, service, name in called_services(evidence):
        end = _end(evidence, service)
        if end is not None:
            where = f"{service.get('namespace')}/{service.get('name')}"
            decider = end.decider
            related = (("this refuses it", decider.meta.origin, decider.field),) if decider is not None else ()
            why = str(decider.meta.ref) if decider is not None else end.summary or "its policies"
            message = f"the API server has no identity of the mesh, and {where} refuses calls without one ({why}): {name} fails"
            yield Found(message, ref, origin, field, related)


def _end(evidence: Evidence, reference: Mapping[str, Any]) -> Station | None:
    """The station at which every pod of a Service refuses TLS from outside the mesh; None where one may take it."""
    world = evidence.world
    service = world.service(str(reference.get("namespace")), str(reference.get("name")))
    port = reference.get("port", 443)
    if service is None or not isinstance(port, int):
        return None
    first: Station | None = None
    for backend in of_service(world, service, port).backends:
        workload = backend.workload
        if workload is None or not sidecar_of(world, workload).present or bypasses_sidecar(workload, backend.port):
            return None
        arriving = Arrival("tls", None, False, True, False, "POST", "/", service.name, {}, "", "", "", "", None, _UNKNOWN, 0.0)
        refusing = next((s for s in serve(world, workload, backend.port, arriving, False) if s.verdict == DENIED), None)
        if refusing is None:
            return None
        first = first or refusing
    return first
