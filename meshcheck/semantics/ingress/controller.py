"""The pods of ingress-nginx, their options, and the ConfigMap that they read.

Source: kubernetes/ingress-nginx:pkg/flags/flags.go, internal/ingress/controller/config/config.go, template/configmap.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.core import Workload
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.ingress.annotations import FALSE, TRUE
from meshcheck.semantics.world.world import World

CONTROLLER = "k8s.io/ingress-nginx"


class Controller(NamedTuple):
    """One ingress-nginx. `settings` is its ConfigMap; None when it is not in the input."""

    workload: Workload
    controller_class: str
    ingress_class: str
    without_class: bool
    settings: Mapping[str, Any] | None
    options: Mapping[str, str]
    """Of the command line, without dashes."""

    def option(self, name: str) -> str | None:
        """An option of the command line; empty for one without a value."""
        return self.options.get(name)

    def on(self, key: str, default: bool = False) -> bool:
        """A switch of the ConfigMap."""
        value = (self.settings or {}).get(key)
        text = str(value).strip()
        return default if value is None or text not in TRUE | FALSE else text in TRUE

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
    options = _options(workload)
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
        options,
    )


def _options(workload: Workload) -> dict[str, str]:
    """The options of the command line: `--name=value`, `--name value` or `--name`."""
    out: dict[str, str] = {}
    for container in _containers(workload):
        last = ""
        for word in map(str, [*(container.get("command") or ()), *(container.get("args") or ())]):
            if word.startswith("-"):
                last, given, value = word.lstrip("-").partition("=")
                out[last] = value
                last = "" if given else last
            elif last:
                out[last], last = word, ""
    return out
