"""Ingress.

Source: kubernetes/kubernetes:pkg/apis/networking/validation/validation.go:ValidateIngressCreate.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission import addresses, formats, metadata
from meshcheck.decode.admission.faults import Check, Faults, at
from meshcheck.decode.admission.table import Table
from meshcheck.decode.admission.words import not_one_of, outside, shown

TABLE = """
Ingress #class: apiVersion str, kind str, metadata ObjectMeta, spec Spec#spec, status Status
Spec: defaultBackend Backend#backend, ingressClassName str~subdomain, rules [Rule], tls [TLS]
Rule: host str~host, http HTTP
HTTP #has_paths: paths [Path#path]
Path: backend Backend, path str, pathType str
Backend: resource Resource#resource, service Service
Resource: apiGroup str~subdomain, kind str, name str
Service: name str, port Port
Port: name str, number int32
TLS: hosts [str~tls_host], secretName str~secret
Status: loadBalancer LoadBalancer
LoadBalancer: ingress [LoadBalancerIngress]
LoadBalancerIngress: hostname str, ip str, ports [PortStatus]
PortStatus: error str, port int32, protocol str
"""
_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


def _class(value: dict[str, Any]) -> Faults:
    noted = ((value.get("metadata") or {}).get("annotations") or {}).get("kubernetes.io/ingress.class")
    given = (value.get("spec") or {}).get("ingressClassName")
    if noted is not None and given is not None and noted != given:
        return at(
            f"the annotation `kubernetes.io/ingress.class` says `{shown(noted)}`; `ingressClassName` must be the same",
            "spec",
            "ingressClassName",
        )
    return None if "spec" in value else at("`rules` or `defaultBackend` is required", "spec")


def _spec(value: dict[str, Any]) -> Faults:
    return None if value.get("rules") or "defaultBackend" in value else at("`rules` or `defaultBackend` is required")


def _host(text: str) -> str | None:
    if not text:
        return None
    if addresses.address(text) is not None:
        return f"`{text}` is an IP address; a host is a DNS name"
    return formats.wildcard_subdomain(text) if "*" in text else formats.dns_subdomain(text)


def _has_paths(value: dict[str, Any]) -> Faults:
    return None if value.get("paths") else at("at least one path is required", "paths")


def _path(value: dict[str, Any]) -> Faults:
    kind, path = value.get("pathType"), value.get("path", "")
    if kind is None:
        return at(f"`pathType` is required: {', '.join(f'`{word}`' for word in _TYPES)}", "pathType")
    if kind not in _TYPES:
        return at(not_one_of(kind, _TYPES), "pathType")
    if not path.startswith("/") and (path or kind != "ImplementationSpecific"):
        return at(f"path `{shown(path)}` must begin with `/`", "path")
    if kind != "ImplementationSpecific":
        for part in ("//", "/./", "/../", "%2f", "%2F"):
            if part in path:
                return at(f"path `{shown(path)}` must not hold `{part}`", "path")
        for end in ("/..", "/."):
            if path.endswith(end):
                return at(f"path `{shown(path)}` must not end with `{end}`", "path")
    return _prefixed(_backend(value.get("backend") or {}))


def _prefixed(bad: Faults) -> Faults:
    return [fault._replace(path=("backend", *fault.path)) for fault in bad] if bad else None


def _backend(value: dict[str, Any]) -> Faults:
    if "resource" in value:
        return at("a backend is either a `service` or a `resource`") if "service" in value else None
    if "service" not in value:
        return at("`service` or `resource` is required")
    service = value["service"]
    if not service.get("name"):
        return at("the Service's name is required", "service", "name")
    if said := formats.dns_label(service["name"]):
        return at(said, "service", "name")
    port = service.get("port") or {}
    name, number = port.get("name", ""), port.get("number", 0)
    if name and number:
        return at("give the port's name or its number, not both", "service", "port")
    if name:
        return at(said, "service", "port", "name") if (said := formats.port_name(name)) else None
    if not number:
        return at("the port's name or number is required", "service", "port")
    return None if 1 <= number <= 65535 else at(outside(number, 1, 65535), "service", "port", "number")


def _resource(value: dict[str, Any]) -> Faults:
    for name in ("kind", "name"):
        if not value.get(name):
            return at(f"`{name}` is required", name)
        if said := formats.path_segment(value[name]):
            return at(said, name)
    return None


_RULES: dict[str, Check] = {
    "class": _class,
    "spec": _spec,
    "path": _path,
    "has_paths": _has_paths,
    "backend": _backend,
    "resource": _resource,
}
KINDS = Table(
    TABLE + metadata.TABLE,
    {**metadata.RULES, **_RULES},
    {
        **metadata.FORMATS,
        "subdomain": formats.dns_subdomain,
        "host": _host,
        "tls_host": lambda text: formats.wildcard_subdomain(text) if "*" in text else formats.dns_subdomain(text),
        "secret": lambda text: formats.dns_subdomain(text) if text else None,
    },
    lenient_nulls=True,
)
