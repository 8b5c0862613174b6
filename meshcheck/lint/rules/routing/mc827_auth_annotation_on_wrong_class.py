"""An Ingress asks for authentication in annotations of another controller than the one that serves it.

## Finds

Annotations of Ingresses that restrict who may call (authentication, lists of addresses) and belong to a known controller, where the class
of the Ingress leads to another known one.

## Why it matters

A controller skips annotations that it does not know, without a word. The Ingress reads as if it were protected, and is open. It happens
when a class is changed and the annotations are left as they were.

## Avoid

```yaml
metadata:
  annotations: {nginx.ingress.kubernetes.io/auth-url: "https://login.example.com/check"}
spec: {ingressClassName: traefik}
```

## Prefer

```yaml
metadata:
  annotations: {traefik.ingress.kubernetes.io/router.middlewares: shop-login@kubernetescrd}
spec: {ingressClassName: traefik}
```

## Exceptions

An Ingress that carries the annotations of several controllers, since it is meant for several clusters, is not reported as long as those of
its own controller ask for authentication, too.

## Silent when

The IngressClass is not in the input, or belongs to a controller that is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.ingress import Ingress
from meshcheck.semantics.ingress.others.controllers import controller_of

_GUARDS = {
    "nginx.ingress.kubernetes.io/": (
        "ingress-nginx",
        ("auth-type", "auth-secret", "auth-url", "auth-tls-secret", "whitelist-source-range", "allowlist-source-range"),
    ),
    "alb.ingress.kubernetes.io/": ("aws-load-balancer", ("auth-type", "inbound-cidrs")),
    "haproxy.org/": ("haproxy", ("auth-type", "allow-list", "whitelist")),
    "haproxy-ingress.github.io/": ("haproxy-ingress", ("auth-secret", "auth-url", "allowlist-source-range")),
}
"""Prefix → (the controller that reads it, what restricts callers). Sources: kubernetes/ingress-nginx:docs/user-guide/nginx-configuration/
annotations.md; kubernetes-sigs/aws-load-balancer-controller:docs/guide/ingress/annotations.md;
haproxytech/kubernetes-ingress:documentation/annotations.md; jcmoraisjr/haproxy-ingress:docs/content/en/docs/configuration/keys.md."""
_OF_OTHERS = {"traefik": "traefik.ingress.kubernetes.io/router.middlewares", "kong": "konghq.com/plugins"}
"""Controllers whose annotation names objects that may restrict callers."""
_KNOWN = frozenset([*(reader for reader, _ in _GUARDS.values()), *_OF_OTHERS, "contour", "gke", "istio"])


@rule("MC827", "auth-annotation-on-wrong-class", severity="warning", needs="documents", confidence="medium", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """The first such annotation of each Ingress."""
    classes = {c.meta.name: c for c in evidence.of("IngressClass")}
    for ingress in evidence.of("Ingress") if classes else ():
        controller = controller_of(evidence.world, ingress)
        written = list(_guards(ingress))
        name = ingress.class_name or ingress.meta.annotations.get("kubernetes.io/ingress.class", "")
        if controller not in _KNOWN or name not in classes or not written or any(reader == controller for _, reader in written):
            continue
        if ingress.meta.annotations.get(_OF_OTHERS.get(controller, "")):
            continue
        key, reader = written[0]
        message = f"only {reader} reads {key}, and class `{name}` is served by {controller}: nobody evaluates it"
        yield found(ingress.meta, ("metadata", "annotations", key), message, ("the class", classes[name].meta, ("spec", "controller")))


def _guards(ingress: Ingress) -> Iterator[tuple[str, str]]:
    """(annotation, its reader) of what restricts callers."""
    for prefix, (reader, names) in _GUARDS.items():
        yield from ((prefix + name, reader) for name in names if ingress.meta.annotations.get(prefix + name))
