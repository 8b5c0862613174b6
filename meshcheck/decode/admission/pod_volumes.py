"""Rules for volumes of pods, and where they are mounted.

Source: kubernetes/kubernetes:pkg/apis/core/validation/validation.go:ValidateVolumes, ValidateVolumeMounts.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission import formats
from meshcheck.decode.admission.faults import Faults, at, below
from meshcheck.decode.admission.pod_fields import field_path, resource_field
from meshcheck.decode.admission.quantities import amount
from meshcheck.decode.admission.words import listed, shown

_NEEDED = {
    "secret": ("secretName",),
    "configMap": ("name",),
    "persistentVolumeClaim": ("claimName",),
    "hostPath": ("path",),
    "nfs": ("server", "path"),
    "csi": ("driver",),
    "awsElasticBlockStore": ("volumeID",),
    "gcePersistentDisk": ("pdName",),
    "ephemeral": ("volumeClaimTemplate",),
}
_READ = frozenset(f"metadata.{field}" for field in ("annotations", "labels", "name", "namespace", "uid"))
_HOST_PATHS = ("", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice")


def volume(value: dict[str, Any]) -> Faults:
    """One volume: a name, and exactly one source (none is an emptyDir)."""
    name = value.get("name", "")
    if said := formats.dns_label(name) if name else "a volume needs a name":
        return at(said, "name")
    kinds = [kind for kind in value if kind != "name"]
    if len(kinds) > 1:
        return at(f"only one of {listed(kinds, 'and')} may be set")
    for kind in kinds:
        source = value[kind]
        for field in _NEEDED.get(kind, ()):
            if not source.get(field):
                return at(f"`{field}` is required", kind, field)
        if kind == "hostPath":
            if source.get("type", "") not in _HOST_PATHS:
                return at(f"`{shown(source['type'])}` is no type of a host path", kind, "type")
            if ".." in source["path"].split("/"):
                return at("must not hold `..`", kind, "path")
        if kind == "emptyDir" and amount(str(source.get("sizeLimit", 0))) < 0:
            return at("must not be negative", kind, "sizeLimit")
        if kind == "nfs" and not source["path"].startswith("/"):
            return at("must begin with `/`", kind, "path")
        if kind in ("secret", "configMap") and (bad := _items(source.get("items") or ())):
            return below(bad, kind)
        if kind == "projected" and (bad := _sources(source.get("sources") or ())):
            return below(bad, kind)
        if kind == "downwardAPI" and (bad := _downward(source.get("items") or ())):
            return below(bad, kind)
    return None


def _items(items: Any) -> Faults:
    for number, item in enumerate(items):
        if not item.get("key"):
            return at("`key` is required", "items", number, "key")
        if said := _inside(item.get("path", "")):
            return at(said, "items", number, "path")
    return None


def _downward(items: Any) -> Faults:
    for number, item in enumerate(items):
        if said := _inside(item.get("path", "")):
            return at(said, "items", number, "path")
        if ("fieldRef" in item) == ("resourceFieldRef" in item):
            return at("one of `fieldRef` and `resourceFieldRef` is required", "items", number)
        if "fieldRef" in item and (said := field_path(item["fieldRef"].get("fieldPath", ""), _READ)):
            return at(said, "items", number, "fieldRef", "fieldPath")
        if "resourceFieldRef" in item and (bad := resource_field(item["resourceFieldRef"], volume=True)):
            return below(bad, "items", number, "resourceFieldRef")
    return None


def _sources(sources: Any) -> Faults:
    for number, source in enumerate(sources):
        if len(source) > 1:
            return at(f"only one of {listed(list(source), 'and')} may be set", "sources", number)
        for kind, projection in source.items():
            if kind in ("secret", "configMap") and not projection.get("name"):
                return at("`name` is required", "sources", number, kind, "name")
            if kind in ("secret", "configMap") and (bad := _items(projection.get("items") or ())):
                return below(bad, "sources", number, kind)
            if kind == "downwardAPI" and (bad := _downward(projection.get("items") or ())):
                return below(bad, "sources", number, kind)
            if kind == "serviceAccountToken":
                if projection.get("expirationSeconds", 3600) < 600:
                    return at("must be at least 600", "sources", number, kind, "expirationSeconds")
                if said := _inside(projection.get("path", "")):
                    return at(said, "sources", number, kind, "path")
    return None


def _inside(path: str) -> str | None:
    """A path below a mounted folder."""
    if not path:
        return "`path` is required"
    if path.startswith("/"):
        return f"`{shown(path)}` must not begin with `/`"
    return f"`{shown(path)}` must not hold `..`" if ".." in path.split("/") or path.startswith("..") else None


def mount(value: dict[str, Any]) -> Faults:
    """One mount: a volume's name and a path."""
    for field in ("name", "mountPath"):
        if not value.get(field):
            return at(f"`{field}` is required", field)
    if value.get("subPath") and value.get("subPathExpr"):
        return at("`subPath` and `subPathExpr` exclude each other", "subPathExpr")
    for field in ("subPath", "subPathExpr"):
        path = value.get(field, "")
        if path.startswith("/") or ".." in path.split("/"):
            return at(f"`{shown(path)}` must stay inside the volume", field)
    if value.get("recursiveReadOnly", "Disabled") != "Disabled" and not value.get("readOnly"):
        return at("needs `readOnly: true`", "recursiveReadOnly")
    return None


def claiming(value: dict[str, Any]) -> Faults:
    """A claim, or the template of one."""
    return None if "spec" in value else at("`spec` is required", "spec")


def claim(spec: dict[str, Any]) -> Faults:
    """What a claim asks for."""
    modes = spec.get("accessModes") or ()
    if not modes:
        return at("at least one access mode is required", "accessModes")
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        return at("`ReadWriteOncePod` must stand alone", "accessModes")
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if size is None:
        return at("`storage` is required", "resources", "requests")
    return None if amount(str(size)) > 0 else at("must be more than 0", "resources", "requests", "storage")


def device(value: dict[str, Any]) -> Faults:
    """One block device."""
    for field in ("name", "devicePath"):
        if not value.get(field):
            return at(f"`{field}` is required", field)
    return None


def mounted(spec: dict[str, Any], claims: frozenset[str] = frozenset()) -> Faults:
    """Names of volumes differ, and what is mounted exists; `claims` are the volumes that a StatefulSet adds."""
    names: set[str] = set()
    for number, item in enumerate(spec.get("volumes") or ()):
        if item["name"] in names:
            return at(f"two volumes have the name `{item['name']}`", "volumes", number, "name")
        names.add(item["name"])
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for number, container in enumerate(spec.get(field) or ()):
            for kind in ("volumeMounts", "volumeDevices"):
                for index, item in enumerate(container.get(kind) or ()):
                    if item["name"] not in names and item["name"] not in claims:
                        return at(f"the pod has no volume `{shown(item['name'])}`", field, number, kind, index, "name")
    return None
