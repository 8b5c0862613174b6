"""VirtualService.

Source: istio/istio:pkg/config/validation/validation.go:ValidateVirtualService.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.admission.faults import Check, Faults, at, below
from meshcheck.decode.admission.istiod import names
from meshcheck.decode.admission.istiod.destination import weighted
from meshcheck.decode.admission.istiod.header_values import is_claim
from meshcheck.decode.admission.istiod.http_route import gateway_names, http_route
from meshcheck.decode.admission.words import shown


def _virtual_service(value: dict[str, Any]) -> Faults:
    spec, namespace = value.get("spec") or {}, (value.get("metadata") or {}).get("namespace") or ""
    hosts, gateways = spec.get("hosts") or [], spec.get("gateways") or []
    at_gateway = bool(gateways) and "mesh" not in gateways
    bad = [*below(_delegated(spec), "spec"), *below(gateway_names(gateways), "spec"), *below(_hosts(spec, hosts, at_gateway), "spec")]
    if not any(spec.get(kind) for kind in ("http", "tcp", "tls")):
        bad += at("`http`, `tcp` or `tls` is required", "spec")
    for number, route in enumerate(spec.get("http") or ()):
        bad += below(http_route(route, delegate=not hosts), "spec", "http", number)
        if not at_gateway:
            bad += below(_claims(route), "spec", "http", number)
    for number, route in enumerate(spec.get("tls") or ()):
        bad += below(_tls(route, hosts, not gateways or at_gateway, bool(gateways)), "spec", "tls", number)
    for number, route in enumerate(spec.get("tcp") or ()):
        bad += below(_tcp(route), "spec", "tcp", number)
    bad += below(names.export_to(spec, namespace), "spec")
    return bad or None


def _delegated(spec: dict[str, Any]) -> Faults:
    """Without hosts it is one that others delegate to."""
    if spec.get("hosts"):
        return None
    for field in ("gateways", "tls", "tcp"):
        if spec.get(field):
            return at("a VirtualService without hosts is for delegation: it has HTTP routes only, and no gateways", field)
    return None


def _hosts(spec: dict[str, Any], hosts: list[str], at_gateway: bool) -> Faults:
    sni = any(match.get("sniHosts") for route in spec.get("tls") or () for match in route.get("match") or ())
    for number, host in enumerate(hosts):
        said = names.gateway_host(host, sni) if at_gateway else names.wildcard_domain(host)
        if said and not names.is_ip(host):
            return at(said, "hosts", number)
        if not at_gateway and host == "*":
            return at("`*` is not possible in the mesh; it needs `gateways`", "hosts", number)
    for number, host in enumerate(hosts):
        for other in hosts[:number]:
            if names.host_matches(other, host):
                return at(
                    f"`{shown(other)}` covers `{shown(host)}`" if host != other else f"`{shown(host)}` is there twice", "hosts", number
                )
    return None


def _claims(route: dict[str, Any]) -> Faults:
    for number, match in enumerate(route.get("match") or ()):
        for field in ("headers", "withoutHeaders"):
            for name in match.get(field) or ():
                if is_claim(name):
                    return at("claims of tokens can be matched at gateways only", "match", number, field, name)
    return None


def _tls(route: dict[str, Any], hosts: list[str], at_gateway: bool, named: bool) -> Faults:
    if not route["match"]:
        return at("at least one match is required", "match")
    for number, match in enumerate(route["match"]):
        if not match["sniHosts"]:
            return at("at least one host is required", "match", number, "sniHosts")
        for index, host in enumerate(match["sniHosts"]):
            said = names.gateway_host(host, True) if at_gateway else names.wildcard_domain(host)
            if said:
                if names.is_ip(host):
                    continue
                return at(said, "match", number, "sniHosts", index)
            if not any(names.host_within(host, other) for other in hosts):
                return at(f"`{shown(host)}` is not among the hosts of the VirtualService", "match", number, "sniHosts", index)
        if bad := _l4(match):
            return below(bad, "match", number)
    return _destinations(route)


def _tcp(route: dict[str, Any]) -> Faults:
    for number, match in enumerate(route.get("match") or ()):
        if bad := _l4(match):
            return below(bad, "match", number)
    return _destinations(route)


def _destinations(route: dict[str, Any]) -> Faults:
    return weighted(route["route"]) if route.get("route") else at("`route` is required", "route")


def _l4(match: dict[str, Any]) -> Faults:
    for number, text in enumerate(match.get("destinationSubnets") or ()):
        if said := names.subnet(text):
            return at(said, "destinationSubnets", number)
    if match.get("port") and (said := names.port(match["port"])):
        return at(said, "port")
    return below(names.labels(match.get("sourceLabels")), "sourceLabels") or gateway_names(match.get("gateways") or [])


CHECKS: Mapping[str, Check] = {"VirtualService": _virtual_service}
