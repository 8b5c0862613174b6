"""Which controller serves an Ingress, by its class."""

from __future__ import annotations

from meshcheck.model.ingress import Ingress
from meshcheck.semantics.world.world import World

_BY_CONTROLLER = {
    "traefik.io/ingress-controller": "traefik",
    "ingress-controllers.konghq.com/kong": "kong",
    "haproxy.org/ingress-controller": "haproxy",
    "haproxy-ingress.github.io/controller": "haproxy-ingress",
    "projectcontour.io/ingress-controller": "contour",
    "ingress.k8s.aws/alb": "aws-load-balancer",
    "k8s.io/ingress-gce": "gke",
    "istio.io/ingress-controller": "istio",
    "k8s.io/ingress-nginx": "ingress-nginx",
}
_BY_NAME = {
    "traefik": "traefik",
    "kong": "kong",
    "haproxy": "haproxy",
    "contour": "contour",
    "alb": "aws-load-balancer",
    "gce": "gke",
    "gce-internal": "gke",
    "nginx": "ingress-nginx",
    "istio": "istio",
}


def controller_of(world: World, ingress: Ingress) -> str | None:
    """`traefik`, `kong`, …; the class's own words where it is none of those; None without a class."""
    classes = {c.meta.name: c.controller for c in world.inventory.of("IngressClass")}
    name = ingress.class_name or ingress.meta.annotations.get("kubernetes.io/ingress.class")
    if name is None:
        return None
    written = classes.get(name)
    return (
        _BY_CONTROLLER.get(written.partition("/v")[0], written)
        if written is not None
        else _BY_NAME.get(name, f"the controller of class {name}")
    )
