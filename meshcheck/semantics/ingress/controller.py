"""The pods of ingress-nginx, their options, and the ConfigMap that they read.

Source: kubernetes/ingress-nginx:pkg/flags/flags.go, internal/ingress/controller/config/config.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from meshcheck.model.core import Workload
from meshcheck.semantics.world.world import World

CONTROLLER = "k8s.io/ingress-nginx"


class Controller(NamedTuple):
    """One ingress-nginx. `settings` is its ConfigMap; None when it is not in the input."""

    workload: Workload
    controller_class: str
    ingress_class: str
    without_class: bool
    settings: Mapping[str, Any] | None

    def on(self, key: str, default: bool = False) -> bool:
        """A switch of the ConfigMap."""
        value = (self.settings or {}).get(key)
        return default if value is None else str(value).strip().lower() == "true"

    def text(self, key: str) -> str:
        return str((self.settings or {}).get(key) or "")


def is_ingress_nginx(workload: Workload) -> bool:
    """Whether pods run ingress-nginx."""
    labels = workload.pod_labels
    named = (
        labels.get("app.kubernetes.io/name") == "ingress-nginx" and labels.get("app.kubernetes.io/component", "controller") == "controller"
    )
    return named or any("ingress-nginx/controller" in str(c.get("image")) for c in _containers(workload))


def _containers(workload: Workload) -> list[Mapping[str, Any]]:
    found = (workload.pod or {}).get("containers") if isinstance(workload.pod, Mapping) else None
    return [c for c in found or () if isinstance(c, dict)]


def controller_of(world: World, workload: Workload) -> Controller:
    """The options and settings of a controller's pods."""
    return world.once(("ingress-nginx", id(workload)), lambda: _controller(world, workload))


def _controller(world: World, workload: Workload) -> Controller:
    options: dict[str, str] = {}
    for container in _containers(workload):
        for word in [*(container.get("command") or ()), *(container.get("args") or ())]:
            name, _, value = str(word).lstrip("-").partition("=")
            options[name] = value
    namespace, _, name = options.get("configmap", "").replace("$(POD_NAMESPACE)", workload.namespace).rpartition("/")
    wanted = (namespace or workload.namespace, name or "ingress-nginx-controller")
    found = world.config_map(*wanted)
    settings = found[1] if found is not None else None
    return Controller(
        workload,
        options.get("controller-class") or CONTROLLER,
        options.get("ingress-class") or "nginx",
        options.get("watch-ingress-without-class") in ("true", ""),
        {} if settings is None and world.complete("ConfigMap", namespace=wanted[0]) else settings,
    )
