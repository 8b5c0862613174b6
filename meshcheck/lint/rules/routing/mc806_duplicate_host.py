"""Two VirtualServices for sidecars claim the same host; only one of them is used.

## Finds

VirtualServices for sidecars (`mesh`, the default) with a host that another one has as well, visible to the same namespaces. At gateways
routes of several VirtualServices are merged, which is meant to be so.

## Why it matters

A sidecar takes the whole of one VirtualService for a host, the oldest, and nothing of the others: their routes, rewrites and timeouts do
not happen, and after the older one is made again they do.

## Avoid

```yaml
kind: VirtualService
metadata: {name: web-timeouts}
spec: {hosts: [web]}
---
kind: VirtualService
metadata: {name: web-canary}
spec: {hosts: [web]}
```

## Prefer

```yaml
kind: VirtualService
metadata: {name: web}
spec: {hosts: [web]}          # with the routes of both
```

## Exceptions

None.

## Silent when

The VirtualServices are exported to different namespaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_networking import VirtualService
from meshcheck.semantics.routing.selection import for_sidecar, full_name, is_exported

_ANYWHERE = ""
"""Stands for a namespace that no object names."""


@rule("MC806", "duplicate-host", severity="error", needs="documents")
def check(evidence: Evidence) -> Iterator[Found]:
    """Hosts that several VirtualServices claim."""
    by_host: dict[str, list[VirtualService]] = {}
    for virtual in evidence.of("VirtualService"):
        for host in dict.fromkeys(full_name(h, virtual.meta.namespace) for h in virtual.hosts) if "mesh" in virtual.gateways else ():
            by_host.setdefault(host, []).append(virtual)
    for host, claiming in by_host.items():
        for virtual in claiming if len(claiming) > 1 else ():
            winner = _winner(claiming, virtual, host, evidence.world.mesh.virtual_service_export_to)
            if winner is not None:
                number = next(n for n, h in enumerate(virtual.hosts) if full_name(h, virtual.meta.namespace) == host)
                known = winner.meta.created and virtual.meta.created
                which = "is the one that is used" if known else "is the other: the one that was made first is used"
                message = f"sidecars use only one VirtualService for `{host}`, and {winner.meta.ref} {which}"
                related = ("used instead", winner.meta, ("spec", "hosts"))
                yield found(virtual.meta, ("spec", "hosts", number), message, related)


def _winner(claiming: Sequence[VirtualService], virtual: VirtualService, host: str, by_default: tuple[str, ...]) -> VirtualService | None:
    """The VirtualService that is used in place of one wherever that one is visible; None where it is used somewhere."""
    named = {name for v in claiming for name in v.export_to if name not in ("*", ".", "~")}
    winner = None
    for namespace in sorted({_ANYWHERE, *named, *(v.meta.namespace for v in claiming)}):
        if is_exported(virtual.export_to or by_default, virtual.meta.namespace, namespace):
            chosen = for_sidecar(claiming, host, namespace, by_default)
            if chosen is virtual:
                return None
            winner = winner or chosen
    return winner
