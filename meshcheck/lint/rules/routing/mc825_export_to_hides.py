"""A VirtualService or Service keeps itself from a workload that is told to call it.

## Finds

- Services whose annotation `networking.istio.io/exportTo` leaves out the namespace of a workload with a sidecar that is told (by
  environment or arguments) to call them.
- VirtualServices for sidecars, in the namespace of the Service that they route, whose `exportTo` leaves out such a namespace.

## Why it matters

The caller's sidecar does not know what it is not shown. Without the Service its calls go out in plaintext, without identity, or are blocked
(REGISTRY_ONLY). Without the VirtualService they pass none of its routes: no rewrite, no split, no retry, and other pods than drawn.

## Avoid

```yaml
kind: VirtualService           # of Service catalog in the same namespace, which others call
spec: {hosts: [catalog], exportTo: ["."]}
```

## Prefer

```yaml
kind: VirtualService
spec: {hosts: [catalog], exportTo: [".", "shop"]}
```

## Exceptions

Routes that are meant for callers of the own namespace only.

## Silent when

No manifest says that the call is made; another VirtualService for the host is visible to the caller; `exportTo` is mesh config's default.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.known_calls import KnownCall, known_calls
from meshcheck.lint.proxies import servers
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_networking import VirtualService
from meshcheck.model.objects import Meta, Path
from meshcheck.semantics.outbound.client import captured
from meshcheck.semantics.outbound.scope import is_visible
from meshcheck.semantics.routing.selection import full_name, host_covers, is_exported
from meshcheck.semantics.world.sidecars import sidecar_of

_NOTE = "networking.istio.io/exportTo"


@rule("MC825", "export-to-hides", severity="warning", needs="documents", confidence="medium")
def check(evidence: Evidence) -> Iterator[Found]:
    """One finding for each object and calling namespace."""
    seen = set()
    routes = [v for v in evidence.of("VirtualService") if "mesh" in v.gateways]
    if not any(v.export_to for v in routes) and not any(_NOTE in s.meta.annotations for s in evidence.world.services):
        return
    for caller in servers(evidence):
        for call in known_calls(evidence, caller) if sidecar_of(evidence.world, caller).present else ():
            hiding = _hiding(evidence, routes, call) if captured(caller, call.port.number) else None
            if hiding is not None and (hiding[0].ref, caller.namespace) not in seen:
                seen.add((hiding[0].ref, caller.namespace))
                yield found(*hiding, ("told here", caller.meta, call.field))


def _hiding(evidence: Evidence, routes: list[VirtualService], call: KnownCall) -> tuple[Meta, Path, str] | None:
    """(object, field, message) of what a caller does not see."""
    service, namespace = call.service, call.caller.namespace
    name = f"{service.namespace}/{service.name}"
    if not is_visible(evidence.world, service, namespace):
        words = f"hides {name} from {namespace}, where {call.caller} is told to call it: its sidecar does not know it"
        return (service.meta, ("metadata", "annotations", _NOTE), words) if _NOTE in service.meta.annotations else None
    own = [v for v in routes if any(host_covers(full_name(h, v.meta.namespace), service.host) for h in v.hosts)]
    default = evidence.world.mesh.virtual_service_export_to
    if any(is_exported(v.export_to or default, v.meta.namespace, namespace) for v in own):
        return None
    hidden = next((v for v in own if v.export_to and v.meta.namespace == service.namespace), None)
    if hidden is None:
        return None
    words = f"hides these routes of {name} from {namespace}, where {call.caller} is told to call it: its calls pass none of them"
    return hidden.meta, ("spec", "exportTo"), words
