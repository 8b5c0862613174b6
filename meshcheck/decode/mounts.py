"""What a container finds at a path: the ConfigMaps that its pod mounts.

Sources: kubernetes/kubernetes:pkg/volume/configmap/configmap.go (keys, items, modes) and pkg/volume/volume_linux.go
(SetVolumeOwnership: `fsGroup` becomes the group of the files, with read permission).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from meshcheck.model.nginx import Mount, MountedFile, Source
from meshcheck.model.objects import Meta

ConfigMaps = Callable[[str], tuple[Meta, Mapping[str, Any]] | None]
"""A ConfigMap of the pod's namespace by name: its metadata and data; a value that is not text stands for bytes."""
_MODE = 0o644
_READ_BY_GROUP = 0o440


def mounts_of(pod: Mapping[str, Any], container: Mapping[str, Any], config_maps: ConfigMaps) -> tuple[Mount, ...]:
    """The mounts of a container, longest path first: the first one that holds a path decides."""
    volumes = {str(v.get("name")): v for v in _maps(pod.get("volumes"))}
    group = _map(pod.get("securityContext")).get("fsGroup")
    out = []
    for item in _maps(container.get("volumeMounts")):
        path = item.get("mountPath")
        if isinstance(path, str) and path:
            made = _volume(_map(volumes.get(str(item.get("name")))), group if isinstance(group, int) else None, config_maps)
            out.append(_placed(made, "/" + path.strip("/"), item))
    return tuple(sorted(out, key=lambda mount: -len(mount.path)))


def holding(mounts: tuple[Mount, ...], path: str) -> Mount | None:
    """The mount in which a path lies; None where it is the image's."""
    return next((m for m in mounts if path == m.path or path.startswith(m.path.rstrip("/") + "/")), None)


def _volume(volume: Mapping[str, Any], group: int | None, config_maps: ConfigMaps) -> Mount:
    """The files of a volume by their path inside it."""
    if isinstance(volume.get("projected"), dict):
        projected = volume["projected"]
        parts = [
            _source(kind, _map(source.get(kind)), _mode(projected.get("defaultMode")), group, config_maps)
            for source in _maps(projected.get("sources"))
            for kind in source
        ]
        unseen = next((part for part in parts if part.files is None), None)
        if unseen is not None or not parts:
            return unseen or Mount("", None, f"volume {volume.get('name')}")
        return Mount("", {key: file for part in parts for key, file in (part.files or {}).items()}, ", ".join(part.what for part in parts))
    for kind in ("configMap", "secret"):
        if isinstance(volume.get(kind), dict):
            return _source(kind, volume[kind], _mode(volume[kind].get("defaultMode")), group, config_maps)
    return Mount("", None, f"volume {volume.get('name')}")


def _source(kind: str, source: Mapping[str, Any], mode: int, group: int | None, config_maps: ConfigMaps) -> Mount:
    extra = _READ_BY_GROUP if group is not None else 0
    if kind != "configMap":
        what = f"Secret {source.get('secretName') or source.get('name')}" if kind == "secret" else kind
        return Mount("", None, what, mode | extra, group or 0)
    name = source.get("name")
    found = config_maps(name) if isinstance(name, str) else None
    if found is None:
        return Mount("", None, f"ConfigMap {name}, which is not in the input", mode | extra, group or 0)
    meta, data = found
    items = _maps(source.get("items")) or [{"key": key, "path": key} for key in data]
    files = {}
    for item in items:
        key, path = item.get("key"), item.get("path")
        if isinstance(path, str) and isinstance(key, str) and key in data:
            text = data[key]
            bits = _mode(item.get("mode"), mode) | extra
            files[path] = MountedFile(path, text if isinstance(text, str) else None, Source(meta, key), bits, group or 0)
    return Mount("", files, f"ConfigMap {meta.namespace}/{meta.name}", mode | extra, group or 0)


def _placed(volume: Mount, path: str, mount: Mapping[str, Any]) -> Mount:
    """A volume, or the part of it that `subPath` names, at a path of the container."""
    inside = mount.get("subPath")
    what, mode, group = volume.what, volume.mode, volume.group
    if volume.files is None or mount.get("subPathExpr"):
        return Mount(path, None, what, mode, group)
    found = {}
    for name, file in volume.files.items():
        if not inside:
            at = f"{path.rstrip('/')}/{name}"
        elif name == inside:
            at = path
        elif name.startswith(f"{inside}/"):
            at = path + name[len(inside) :]
        else:
            continue
        found[at] = MountedFile(at, file.text, file.source, file.mode, file.group)
    if inside and not found:
        return Mount(path, None, f"{what} (it has no key `{inside}`)", mode, group)
    return Mount(path, found, what, mode, group)


def _mode(value: Any, default: int = _MODE) -> int:
    return value & 0o777 if isinstance(value, int) and not isinstance(value, bool) else default


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
