"""Rules for one container.

Source: kubernetes/kubernetes:pkg/apis/core/validation/validation.go:validateContainerCommon and what it calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.admission import formats
from meshcheck.decode.admission.faults import Check, Faults, at, below
from meshcheck.decode.admission.pod_fields import VARIABLES, field_path, resource_field
from meshcheck.decode.admission.quantities import amount
from meshcheck.decode.admission.words import listed, outside, shown

_OVERCOMMITTED = ("cpu", "memory", "ephemeral-storage")
_NOT_NEGATIVE = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def _container(value: dict[str, Any]) -> Faults:
    name = value.get("name", "")
    if not name:
        return at("a container needs a name", "name")
    if said := formats.dns_label(name):
        return at(said, "name")
    if not value.get("image"):
        return at(f"container `{name}` needs an image", "image")
    names: set[str] = set()
    for number, port in enumerate(value.get("ports") or ()):
        if label := port.get("name"):
            if label in names:
                return at(f"two ports have the name `{label}`", "ports", number, "name")
            names.add(label)
    devices = {item["name"] for item in value.get("volumeDevices") or ()}
    paths: set[str] = set()
    for number, mount in enumerate(value.get("volumeMounts") or ()):
        if mount["mountPath"] in paths:
            return at(f"two volumes are mounted at `{shown(mount['mountPath'])}`", "volumeMounts", number, "mountPath")
        paths.add(mount["mountPath"])
        if mount["name"] in devices:
            return at(f"`{mount['name']}` is in `volumeDevices`, too", "volumeMounts", number, "name")
        if mount.get("mountPropagation") == "Bidirectional" and not (value.get("securityContext") or {}).get("privileged"):
            return at("`Bidirectional` needs a privileged container", "volumeMounts", number, "mountPropagation")
    if value.get("restartPolicyRules") and "restartPolicy" not in value:
        return at("`restartPolicyRules` need `restartPolicy`", "restartPolicyRules")
    return _thresholds(value)


def _thresholds(value: dict[str, Any]) -> Faults:
    for field in ("livenessProbe", "startupProbe"):
        if (value.get(field) or {}).get("successThreshold", 1) not in (0, 1):
            return at("must be 1 for this probe", field, "successThreshold")
    if "terminationGracePeriodSeconds" in (value.get("readinessProbe") or {}):
        return at("not for readiness probes", "readinessProbe", "terminationGracePeriodSeconds")
    return None


def _container_port(value: dict[str, Any]) -> Faults:
    if not value.get("containerPort"):
        return at("`containerPort` is required", "containerPort")
    return at(said, "name") if value.get("name") and (said := formats.port_name(value["name"])) else None


def _variable(value: dict[str, Any]) -> Faults:
    name, source = value.get("name", ""), value.get("valueFrom")
    if not name:
        return at("an environment variable needs a name", "name")
    if said := formats.environment_name(name):
        return at(said, "name")
    if source is None:
        return None
    kinds = [kind for kind in ("configMapKeyRef", "fieldRef", "resourceFieldRef", "secretKeyRef", "fileKeyRef") if kind in source]
    if len(kinds) != 1:
        return at("exactly one source is required" if not kinds else f"only one of {listed(kinds, 'and')} may be set", "valueFrom")
    if value.get("value"):
        return at("`value` and `valueFrom` exclude each other", "valueFrom")
    kind, ref = kinds[0], source[kinds[0]]
    if kind in ("configMapKeyRef", "secretKeyRef"):
        if said := _name(ref.get("name", "")):
            return at(said, "valueFrom", kind, "name")
        if said := formats.config_key(ref.get("key", "")) if ref.get("key") else "`key` is required":
            return at(said, "valueFrom", kind, "key")
    elif kind == "fieldRef":
        if said := field_path(ref.get("fieldPath", ""), VARIABLES):
            return at(said, "valueFrom", kind, "fieldPath")
    elif kind == "fileKeyRef":
        for field in ("key", "path", "volumeName"):
            if not ref.get(field):
                return at(f"`{field}` is required", "valueFrom", kind, field)
    elif kind == "resourceFieldRef":
        return below(resource_field(ref), "valueFrom", kind) or None
    return None


def _bulk_source(value: dict[str, Any]) -> Faults:
    kinds = [kind for kind in ("configMapRef", "secretRef") if kind in value]
    if len(kinds) != 1:
        return at("exactly one of `configMapRef` and `secretRef` is required")
    if (prefix := value.get("prefix")) and (said := formats.environment_name(prefix)):
        return at(said, "prefix")
    name = value[kinds[0]].get("name", "")
    return at(said, kinds[0], "name") if (said := _name(name.removesuffix("-") if len(name) > 1 else name)) else None


def _name(name: str) -> str | None:
    return formats.dns_subdomain(name) if name else "`name` is required"


def _resources(value: dict[str, Any]) -> Faults:
    limits = value.get("limits") or {}
    for field in ("limits", "requests"):
        for name, quantity in (value.get(field) or {}).items():
            if said := _resource_name(name):
                return at(said, field, name)
            given = amount(str(quantity))
            if given < 0:
                return at("must not be negative", field, name)
            if name not in _OVERCOMMITTED and given != int(given):
                return at("must be a whole number", field, name)
            if field == "requests":
                if name in limits and given > amount(str(limits[name])):
                    return at(f"`{quantity}` is more than the limit `{limits[name]}`", field, name)
                if name not in _OVERCOMMITTED and (name not in limits or given != amount(str(limits[name]))):
                    return at(f"needs a limit that is equal: `{name}` cannot be overcommitted", field, name)
    return None


def _resource_name(name: str) -> str | None:
    if said := formats.label_key(name):
        return said
    if "/" not in name and name not in _OVERCOMMITTED and not name.startswith("hugepages-"):
        return f"`{shown(name)}` is no resource of containers; others have a domain before a slash"
    return None


def _handler(value: dict[str, Any]) -> Faults:
    kinds = [kind for kind in ("exec", "httpGet", "tcpSocket", "grpc", "sleep") if kind in value]
    if len(kinds) != 1:
        return at(
            f"only one of {listed(kinds, 'and')} may be set" if kinds else "one of `exec`, `httpGet`, `tcpSocket` and `grpc` is required"
        )
    if kinds[0] == "exec" and not value["exec"].get("command"):
        return at("`command` is required", "exec", "command")
    if kinds[0] == "grpc" and not 1 <= value["grpc"].get("port", 0) <= 65535:
        return at(outside(value["grpc"].get("port", 0), 1, 65535), "grpc", "port")
    return None


def _probe(value: dict[str, Any]) -> Faults:
    for field in _NOT_NEGATIVE:
        if value.get(field, 0) < 0:
            return at("must not be negative", field)
    if value.get("terminationGracePeriodSeconds", 1) <= 0:
        return at("must be greater than 0", "terminationGracePeriodSeconds")
    return _handler(value)


def _target_port(value: dict[str, Any]) -> Faults:
    port = value.get("port", 0)
    if isinstance(port, str):
        return at(said, "port") if (said := formats.port_name(port)) else None
    return None if 1 <= port <= 65535 else at(outside(port, 1, 65535), "port")


def _privileges(value: dict[str, Any]) -> Faults:
    if value.get("allowPrivilegeEscalation") is False and value.get("privileged"):
        return at("contradicts `privileged: true`", "allowPrivilegeEscalation")
    return _profiles(value)


def _profiles(value: dict[str, Any]) -> Faults:
    for field in ("seccompProfile", "appArmorProfile"):
        profile = value.get(field)
        if profile is not None and not profile.get("type"):
            return at("`type` is required", field, "type")
        if profile and (profile["type"] == "Localhost") != ("localhostProfile" in profile):
            return at("`localhostProfile` goes with `type: Localhost`, and only with it", field, "localhostProfile")
    return None


def _pod_claim(value: dict[str, Any]) -> Faults:
    name = value.get("name", "")
    if said := formats.dns_label(name) if name else "a claim needs a name":
        return at(said, "name")
    kinds = [field for field in ("resourceClaimName", "resourceClaimTemplateName") if field in value]
    return None if len(kinds) == 1 else at("one of `resourceClaimName` and `resourceClaimTemplateName` is required, and only one")


def _resource_names(value: dict[str, Any]) -> Faults:
    for name, quantity in value.items():
        if said := _resource_name(name) or ("must not be negative" if amount(str(quantity)) < 0 else None):
            return at(said, name)
    return None


RULES: Mapping[str, Check] = {
    "container": _container,
    "container_port": _container_port,
    "variable": _variable,
    "bulk_source": _bulk_source,
    "resources": _resources,
    "handler": _handler,
    "probe": _probe,
    "target_port": _target_port,
    "privileges": _privileges,
    "profiles": _profiles,
    "pod_claim": _pod_claim,
    "resource_names": _resource_names,
}
