"""Which Ingresses a controller serves, and which it leaves aside, with the reason.

Source: kubernetes/ingress-nginx:internal/ingress/controller/ingressclass, internal/ingress/annotations/parser (risk levels).
"""

from __future__ import annotations

from meshcheck.model.ingress import Ingress
from meshcheck.semantics.ingress.controller import Controller
from meshcheck.semantics.world.world import World

PREFIX = "nginx.ingress.kubernetes.io/"
SNIPPETS = ("configuration-snippet", "server-snippet", "stream-snippet", "auth-snippet", "modsecurity-snippet")
_LEVELS = ("Low", "Medium", "High", "Critical")


def note(ingress: Ingress, name: str) -> str | None:
    """An annotation of ingress-nginx; None when it is not there."""
    return ingress.meta.annotations.get(PREFIX + name)


def served(world: World, controller: Controller) -> tuple[list[Ingress], list[tuple[Ingress, str]]]:
    """The Ingresses that count, the oldest first, and those that do not."""
    return world.once(("served", id(controller.workload)), lambda: _served(world, controller))


def _served(world: World, controller: Controller) -> tuple[list[Ingress], list[tuple[Ingress, str]]]:
    found: list[Ingress] = []
    others: list[tuple[Ingress, str]] = []
    for ingress in sorted(world.inventory.of("Ingress"), key=lambda i: i.age):
        why = _not_its_class(world, controller, ingress) or _too_risky(controller, ingress)
        if why is None:
            found.append(ingress)
        else:
            others.append((ingress, why))
    return found, others


def _not_its_class(world: World, controller: Controller, ingress: Ingress) -> str | None:
    if ingress.class_name is not None:
        classes = {c.meta.name: c.controller for c in world.inventory.of("IngressClass")}
        owner = classes.get(ingress.class_name)
        if owner is None:  # a chart makes the class beside the controller: it is often not among an application's manifests
            known = ingress.class_name == controller.ingress_class and not world.complete("IngressClass", namespace=ingress.class_name)
            return None if known else f"there is no IngressClass `{ingress.class_name}`"
        return None if owner == controller.controller_class else f"IngressClass {ingress.class_name} belongs to {owner}"
    legacy = ingress.meta.annotations.get("kubernetes.io/ingress.class")
    if legacy:
        return None if legacy == controller.ingress_class else f"its class is `{legacy}`"
    return None if controller.without_class else "it has no class (spec.ingressClassName)"


def _too_risky(controller: Controller, ingress: Ingress) -> str | None:
    level = controller.text("annotations-risk-level") or "High"
    if level == "Critical":
        return None
    used = [name for name in SNIPPETS if note(ingress, name) is not None]
    return f"annotation {used[0]} is above annotations-risk-level {level}: the whole Ingress is ignored" if used else None
