"""Rules for pods that look at more than one field.

Source: kubernetes/kubernetes:pkg/apis/core/validation/validation.go:ValidatePodSpec and what it calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.admission import addresses, formats, pod_containers, pod_scheduling
from meshcheck.decode.admission.faults import Check, Faults, Format, at, below
from meshcheck.decode.admission.pod_volumes import claim, claiming, device, mount, mounted, volume


def _whole_pod(pod: dict[str, Any]) -> Faults:
    return None if "spec" in pod else at("`containers` are required", "spec", "containers")


def _mounted(pod: dict[str, Any]) -> Faults:
    return below(mounted(pod["spec"]), "spec") or None


def _containers(spec: dict[str, Any]) -> Faults:
    """Names differ in all lists of containers."""
    containers = spec.get("containers") or ()
    if not containers:
        return at("at least one container is required", "containers")
    names: set[str] = set()
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for number, container in enumerate(spec.get(field) or ()):
            if container["name"] in names:
                return at(f"two containers have the name `{container['name']}`", field, number, "name")
            names.add(container["name"])
    for number, container in enumerate(spec.get("initContainers") or ()):
        if container.get("restartPolicy") != "Always":
            for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                if field in container:
                    return at("only for init containers with `restartPolicy: Always`", "initContainers", number, field)
    for number, container in enumerate(spec.get("ephemeralContainers") or ()):
        for field in ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources"):
            if container.get(field):
                return at("not for ephemeral containers", "ephemeralContainers", number, field)
    return None


def _hosts(spec: dict[str, Any]) -> Faults:
    """Ports on the node: equal to the container's in the host's network, and each only once."""
    network = spec.get("hostNetwork") or False
    taken: set[tuple[str, str, int]] = set()
    for number, container in enumerate(spec.get("containers") or ()):
        for index, port in enumerate(container.get("ports") or ()):
            given = port.get("hostPort") or 0
            if network and given and given != port["containerPort"]:
                return at("must equal `containerPort` in the host's network", "containers", number, "ports", index, "hostPort")
            if not given:
                continue
            key = port.get("protocol") or "TCP", port.get("hostIP") or "", given
            if key in taken:
                return at(f"host port {given} is taken by another port of this pod", "containers", number, "ports", index, "hostPort")
            taken.add(key)
    return None


def _tied(spec: dict[str, Any]) -> Faults:
    """Fields of the pod that exclude or need each other."""
    account, old = spec.get("serviceAccountName") or "", spec.get("serviceAccount") or ""
    if old and not account and (said := formats.dns_subdomain(old)):
        return at(said, "serviceAccount")
    if spec.get("dnsPolicy") == "None" and not (spec.get("dnsConfig") or {}).get("nameservers"):
        return at("`dnsPolicy: None` needs `dnsConfig.nameservers`", "dnsConfig")
    if spec.get("hostPID") and spec.get("shareProcessNamespace"):
        return at("`hostPID` and `shareProcessNamespace` exclude each other", "shareProcessNamespace")
    if spec.get("hostUsers") is False:
        for field in ("hostPID", "hostIPC"):
            if spec.get(field):
                return at("not with `hostUsers: false`", field)
    if spec.get("schedulingGates") and spec.get("nodeName"):
        return at("not while `schedulingGates` hold the pod back", "nodeName")
    if spec.get("hostNetwork"):
        for number, item in enumerate((spec.get("securityContext") or {}).get("sysctls") or ()):
            if item["name"].startswith(("net.", "net/")):
                return at("not in the host's network", "securityContext", "sysctls", number, "name")
    return _claims(spec) or pod_scheduling.spread_once(spec.get("topologySpreadConstraints") or ())


def _claims(spec: dict[str, Any]) -> Faults:
    """Containers use claims that the pod has."""
    known = {item["name"] for item in spec.get("resourceClaims") or ()}
    for field in ("containers", "initContainers"):
        for number, container in enumerate(spec.get(field) or ()):
            for index, item in enumerate((container.get("resources") or {}).get("claims") or ()):
                if item.get("name") not in known:
                    return at("the pod has no such claim in `resourceClaims`", field, number, "resources", "claims", index, "name")
            if (container.get("securityContext") or {}).get("procMount") == "Unmasked" and spec.get("hostUsers") is not False:
                return at("`Unmasked` needs `hostUsers: false`", field, number, "securityContext", "procMount")
    return None


def _dns(config: dict[str, Any]) -> Faults:
    if len(" ".join(config.get("searches") or ())) > 2048:
        return at("all search domains together have more than 2048 characters", "searches")
    for number, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            return at("an option needs a name", "options", number, "name")
    return None


def _search(text: str) -> str | None:
    if text == ".":
        return None
    return formats.dns_subdomain(text.removesuffix(".").replace("_", "x"))


def _has(field: str) -> Check:
    return lambda value: None if value.get(field) else at(f"`{field}` is required", field)


RULES: Mapping[str, Check] = {
    "whole_pod": _whole_pod,
    "containers": _containers,
    "mounted": _mounted,
    "named": _has("name"),
    "has_ip": _has("ip"),
    "hosts": _hosts,
    "tied": _tied,
    "dns": _dns,
    "volume": volume,
    "claim": claim,
    "claiming": claiming,
    "mount": mount,
    "device": device,
    **pod_containers.RULES,
    **pod_scheduling.RULES,
}
FORMATS: Mapping[str, Format] = {
    "optional_label": lambda text: formats.dns_label(text) if text else None,
    "optional_subdomain": lambda text: formats.dns_subdomain(text) if text else None,
    "subdomain": formats.dns_subdomain,
    "label": formats.dns_label,
    "label_key": formats.label_key,
    "ip": addresses.ip,
    "header": formats.header_name,
    "search": _search,
    "sysctl": formats.matching(
        r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?", "a sysctl such as `net.core.somaxconn`"
    ),
}
