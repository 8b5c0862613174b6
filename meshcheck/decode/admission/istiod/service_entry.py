"""ServiceEntry, WorkloadEntry and WorkloadGroup.

Source: istio/istio:pkg/config/validation/validation.go:ValidateServiceEntry, ValidateWorkloadEntry, ValidateWorkloadGroup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.admission.faults import Check, Faults, at, below
from meshcheck.decode.admission.istiod import names
from meshcheck.decode.admission.words import shown
from meshcheck.model.pattern import pattern

_DYNAMIC = ("HTTP", "TLS", "GRPC", "HTTP2")
_HEADER = pattern(r"[-A-Za-z0-9]+")


def _service_entry(value: dict[str, Any]) -> Faults:
    spec, meta = value["spec"], value.get("metadata") or {}
    bad = (
        below(names.selector(spec.get("workloadSelector"), "labels"), "workloadSelector")
        or _hosts(spec)
        or _addresses(spec)
        or _ports(spec)
        or _resolution(spec, meta)
        or names.export_to(spec, meta.get("namespace") or "", service_entry=True)
    )
    return below(bad, "spec") or None


def _hosts(spec: dict[str, Any]) -> Faults:
    for number, host in enumerate(spec["hosts"]):
        if said := names.wildcard_domain(host):
            return at(said, "hosts", number)
    return None


def _addresses(spec: dict[str, Any]) -> Faults:
    for number, text in enumerate(spec.get("addresses") or ()):
        if said := names.subnet(text):
            return at(said, "addresses", number)
    return None


def _ports(spec: dict[str, Any]) -> Faults:
    for number, port in enumerate(spec.get("ports") or ()):
        if not names.is_label(port["name"]):
            return at(f"`{shown(port['name'])}` is no port name", "ports", number, "name")
        if port.get("protocol") and port["protocol"].lower() not in names.PROTOCOLS:
            return at(f"`{shown(port['protocol'])}` is no protocol", "ports", number, "protocol")
    return None


def _resolution(spec: dict[str, Any], meta: dict[str, Any]) -> Faults:
    resolution, endpoints = spec.get("resolution", "NONE"), spec.get("endpoints") or []
    defined = {port["name"] for port in spec.get("ports") or ()}
    bad: Faults = None
    for number, endpoint in enumerate(endpoints):
        address = endpoint.get("address", "")
        if resolution == "STATIC":
            bad = _entry(endpoint, defined, dns=False)
        elif resolution in ("DNS", "DNS_ROUND_ROBIN"):
            if not names.is_ip(address) and names.fqdn(address):
                bad = at(f"`{shown(address)}` is neither a DNS name nor an IP address", "address")
            bad = bad or below(names.labels(endpoint.get("labels")), "labels") or _port_names(endpoint, defined)
        if bad:
            return below(bad, "endpoints", number)
    if resolution in ("DNS", "DNS_ROUND_ROBIN") and not endpoints:
        for number, host in enumerate(spec["hosts"]):
            if said := names.fqdn(host):
                return at(f"resolution {resolution} without endpoints looks the host up: {said}", "hosts", number)
    if resolution == "DYNAMIC_DNS":
        return _dynamic(spec, meta)
    if resolution != "NONE" and len(spec["hosts"]) > 1:
        for number, port in enumerate(spec.get("ports") or ()):
            if names.PROTOCOLS.get(port.get("protocol", "").lower()) not in names.HTTP | names.TLS:
                return at("of several hosts one is told by HTTP or TLS only; this port is neither", "ports", number, "protocol")
    return None


def _dynamic(spec: dict[str, Any], meta: dict[str, Any]) -> Faults:
    for number, host in enumerate(spec["hosts"]):
        if not host.startswith("*"):
            return at("resolution DYNAMIC_DNS is for wildcard hosts", "hosts", number)
    for field in ("addresses", "endpoints"):
        if spec.get(field):
            return at("not with resolution DYNAMIC_DNS", field)
    for number, port in enumerate(spec.get("ports") or ()):
        if names.PROTOCOLS.get(port.get("protocol", "").lower()) not in _DYNAMIC:
            return at("resolution DYNAMIC_DNS takes HTTP, HTTP2, GRPC and TLS only", "ports", number, "protocol")
    waypoint = (meta.get("labels") or {}).get("istio.io/use-waypoint", "")
    if spec.get("location") == "MESH_INTERNAL" and waypoint and waypoint.lower() != "none":
        return at("MESH_INTERNAL is not possible with a waypoint and resolution DYNAMIC_DNS", "location")
    return None


def _workload_entry(value: dict[str, Any]) -> Faults:
    return below(_entry(value["spec"], None, dns=True), "spec") or None


def _entry(spec: dict[str, Any], defined: set[str] | None, dns: bool) -> Faults:
    address = spec.get("address", "")
    if not address and not spec.get("network"):
        return at("`address` is required", "address")
    if address.startswith("unix://"):
        if said := names.unix_socket(address.removeprefix("unix://")):
            return at(said, "address")
        if defined is not None and len(defined) != 1:
            return at("a Unix socket needs exactly one port of the ServiceEntry", "address")
    elif address and not names.is_ip(address) and (not dns or names.fqdn(address)):
        return at(f"`{shown(address)}` is no IP address{' and no DNS name' if dns else ', as resolution STATIC needs'}", "address")
    return _port_names(spec, defined) or below(names.labels(spec.get("labels")), "labels") or None


def _port_names(spec: dict[str, Any], defined: set[str] | None) -> Faults:
    for name in spec.get("ports") or ():
        if defined is not None and name not in defined:
            return at(f"the ServiceEntry has no port `{shown(name)}`", "ports", name)
        if not names.is_label(name):
            return at(f"`{shown(name)}` is no port name", "ports", name)
    return None


def _workload_group(value: dict[str, Any]) -> Faults:
    spec = value["spec"]
    if bad := names.labels((spec.get("metadata") or {}).get("labels")):
        return below(bad, "spec", "metadata", "labels")
    probe = spec.get("probe")
    if probe is None:
        return None
    if not any(kind in probe for kind in ("httpGet", "tcpSocket", "exec")):
        return at("one of `httpGet`, `tcpSocket` and `exec` is required", "spec", "probe")
    for number, header in enumerate((probe.get("httpGet") or {}).get("httpHeaders") or ()):
        if not _HEADER.fullmatch(header.get("name", "")):
            return at(f"`{shown(header.get('name', ''))}` is no header name", "spec", "probe", "httpGet", "httpHeaders", number, "name")
    return at("`command` is required", "spec", "probe", "exec") if "exec" in probe and not probe["exec"]["command"] else None


CHECKS: Mapping[str, Check] = {"ServiceEntry": _service_entry, "WorkloadEntry": _workload_entry, "WorkloadGroup": _workload_group}
