"""The versions of Istio that run: of each proxy and of the control planes, as far as images and labels say them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshcheck.model.core import Workload
from meshcheck.model.pattern import pattern
from meshcheck.model.record import NamedTuple
from meshcheck.model.revisions import DEFAULT, LABEL
from meshcheck.semantics.world.control_plane import CONTAINER
from meshcheck.semantics.world.revisions import managed

if TYPE_CHECKING:
    from meshcheck.semantics.world.world import World

PROXY = "istio-proxy"
_TAG = pattern(r":v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-.+][\w.+-]*)?(?:@.*)?$")
_LABELS = ("operator.istio.io/version", "app.kubernetes.io/version")


class Version(NamedTuple):
    """A release of Istio: 1.24.1. Without a patch it is -1."""

    major: int
    minor: int
    patch: int = -1

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}" + (f".{self.patch}" if self.patch >= 0 else "")


class Versions(NamedTuple):
    """Of what stands at a workload: its proxies (several while pods are replaced), and the istiod of the revision that manages them."""

    proxies: tuple[Version, ...]
    control_plane: Version | None
    revision: str | None


def version_in(image: str) -> Version | None:
    """The version that the tag of an image of Istio's says: `istio/proxyv2:1.24.1-distroless`; None for digests and other tags."""
    found = _TAG.search(image)
    return Version(int(found[1]), int(found[2]), int(found[3] or -1)) if found else None


def versions_of(world: World, workload: Workload) -> Versions:
    """The versions at a workload."""
    return world.once(("versions", id(workload)), lambda: _versions(world, workload))


def _versions(world: World, workload: Workload) -> Versions:
    pods = world.pods_under(workload) or (workload,)
    found = {v for pod in pods for image in images(pod, PROXY) if "ztunnel" not in image and (v := version_in(image))}
    planes = control_planes(world)
    revision = world.revision or (next(iter(planes), None) if len(planes) < 2 else managed(world, workload).revision)
    return Versions(tuple(sorted(found)), planes.get(revision or ""), revision)


def control_planes(world: World) -> Mapping[str, Version]:
    """The istiods of the input by revision, the oldest of each. That some may not be read is no reason to doubt the others."""
    root = world.root
    if world.complete("Workload", namespace=root):
        world.note("Workload", root)
    return world.index("control planes", lambda: _control_planes(world))


def _control_planes(world: World) -> dict[str, Version]:
    out: dict[str, Version] = {}
    for workload in world.inventory.of("Workload"):
        if CONTAINER not in workload.containers:
            continue
        said = [*images(workload, CONTAINER), *(f":{workload.meta.labels[name]}" for name in _LABELS if name in workload.meta.labels)]
        version = next((v for text in said if (v := version_in(text))), None)
        revision = workload.pod_labels.get(LABEL, DEFAULT)
        if version is not None and (revision not in out or version < out[revision]):
            out[revision] = version
    return out


def images(workload: Workload, container: str) -> Iterator[str]:
    """The images of a workload's containers of a name."""
    for part in ("containers", "initContainers"):
        for item in _list(workload.pod, part):
            if item.get("name") == container and isinstance(item.get("image"), str):
                yield item["image"]


def summary(pods: Iterable[Mapping[str, Any]]) -> str:
    """The versions that run, of the values of Pods: `istiod 1.26.2 (default); proxies 1.24.1 (120), 1.22.0 (3)`; empty without Istio."""
    found: dict[str, Counter[str]] = {"istiod": Counter(), "proxies": Counter(), "ztunnel": Counter()}
    for pod in pods:
        spec, labels = pod.get("spec"), (pod.get("metadata") or {}).get("labels")
        listed = [*_list(spec, "containers"), *_list(spec, "initContainers")]
        for item in listed:
            name, image = item.get("name"), str(item.get("image") or "")
            version = str(version_in(image) or "of an unknown version")
            if name == CONTAINER:
                found["istiod"][f"{version} ({(labels or {}).get(LABEL, DEFAULT)})"] += 1
            elif name == PROXY:
                found["ztunnel" if "ztunnel" in image else "proxies"][version] += 1
    parts = [f"istiod {', '.join(sorted(found['istiod']))}"] if found["istiod"] else []
    for what in ("proxies", "ztunnel"):
        if found[what]:
            parts.append(f"{what} " + ", ".join(f"{version} ({number})" for version, number in found[what].most_common()))
    return "; ".join(parts)


def _list(spec: Any, part: str) -> list[Mapping[str, Any]]:
    listed = spec.get(part) if isinstance(spec, dict) else None
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
