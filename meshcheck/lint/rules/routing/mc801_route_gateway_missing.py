"""A VirtualService names a Gateway that is not there.

## Finds

Entries of `gateways`, of a VirtualService or of one of its matches, that name no Gateway of Istio. A name without namespace means the
namespace of the VirtualService. Gateways of Gateway API are none: istiod makes a Gateway of Istio's kind of each of their listeners, under
a name of its own, and looks for VirtualServices by that name (istio/istio:pilot/pkg/model/push_context.go; `istioctl analyze` is content
with them).

## Why it matters

The routes are on no listener: callers get 404 from the gateway, or a reset where nothing else listens. It looks like a refusal and is none.

## Avoid

```yaml
kind: VirtualService
metadata: {namespace: shop}
spec: {gateways: [public]}           # the Gateway is istio-ingress/public
```

## Prefer

```yaml
spec: {gateways: [istio-ingress/public]}
```

## Exceptions

Gateways that are applied later, or that another team keeps in another repository.

## Silent when

The world is open: the Gateway may be in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.gateway_routes import gateways_by_name
from meshcheck.lint.object_names import meant, refused
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.istio_networking import VirtualService
from meshcheck.model.objects import Path


@rule("MC801", "route-gateway-missing", severity="error", needs="absence", kinds=("IstioGateway",))
def check(evidence: Evidence) -> Iterator[Found]:
    """Gateways that do not exist."""
    known = gateways_by_name(evidence)
    for virtual in evidence.of("VirtualService"):
        for field, name in _named(virtual):
            if name != "mesh" and name not in known:
                yield found(virtual.meta, field, f"{_missing(evidence, name)}, so these routes are on no gateway{_hint(evidence, name)}")


def _named(virtual: VirtualService) -> Iterator[tuple[Path, str]]:
    """(place, NAMESPACE/NAME) of gateways; those of matches only where the VirtualService does not name them itself."""
    yield from ((("spec", "gateways", n), name) for n, name in enumerate(virtual.gateways))
    for route in virtual.http:
        for match in route.matches:
            for n, name in enumerate(match.gateways):
                if name not in virtual.gateways:
                    yield (*match.field, "gateways", n), name


def _missing(evidence: Evidence, name: str) -> str:
    namespace, _, short = name.partition("/")
    why = refused(evidence, "Gateway", "networking.istio.io", namespace, short)
    return f"there is no Gateway `{name}`" if why is None else f"Gateway `{name}` is refused ({why})"


def _hint(evidence: Evidence, name: str) -> str:
    namespace, _, short = name.partition("/")
    if refused(evidence, "Gateway", "networking.istio.io", namespace, short) is not None:
        return ""
    if any((g.meta.namespace, g.meta.name) == (namespace, short) for g in evidence.of("Gateway")):
        return "; the Gateway of this name is one of Gateway API, which takes HTTPRoutes"
    return meant(namespace, short, ((g.meta.namespace, g.meta.name) for g in evidence.of("IstioGateway")))
