"""The selector of a Gateway selects no pod, so nothing listens for it.

## Finds

Gateways of Istio whose `selector` matches no pod in any namespace.

## Why it matters

No proxy gets the servers of the Gateway: the port refuses connections, or another Gateway answers with 404.

## Avoid

```yaml
kind: Gateway
spec: {selector: {istio: ingresgateway}}
```

## Prefer

```yaml
spec: {selector: {istio: ingressgateway}}
```

## Exceptions

The gateways that an installation of Istio brings (`istio: ingressgateway` and the like) are often not in the same input as the routes:
unless other gateway pods are there, nothing is said of these labels.

## Silent when

The world is open: the pods may be elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.selection import near_label, some_pod_has
from meshcheck.semantics.gateway.pods import is_gateway

_INSTALLED = frozenset(["ingressgateway", "egressgateway", "eastwestgateway", "istio-ingressgateway", "istio-egressgateway", "ingress"])
"""Values of labels of gateways that come with Istio."""


@rule("MC808", "gateway-selects-nothing", severity="error", needs="absence", kinds=("Workload",), audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Gateways without pods."""
    pods = tuple(w for w in evidence.world.workloads if is_gateway(w))
    for gateway in evidence.of("IstioGateway"):
        if not gateway.selector or some_pod_has(evidence, gateway.selector):
            continue
        if pods or not _INSTALLED & set(gateway.selector.values()):
            message = f"no pod has these labels, so nothing listens for this Gateway{near_label(gateway.selector, pods)}"
            yield found(gateway.meta, ("spec", "selector"), message)
