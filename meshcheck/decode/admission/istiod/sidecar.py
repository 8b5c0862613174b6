"""Sidecar.

Source: istio/istio:pkg/config/validation/validation.go:ValidateSidecar.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.admission.faults import Check, Faults, at, below
from meshcheck.decode.admission.istiod import names
from meshcheck.decode.admission.istiod.destination import destination
from meshcheck.decode.admission.istiod.server_tls import server_tls
from meshcheck.decode.admission.istiod.traffic_policy import connection_pool
from meshcheck.decode.admission.words import shown
from meshcheck.model.pattern import pattern

_HOST_PORT = pattern(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<v4>[^:\[\]]*)):(?P<port>[^:]*)")
_LOCAL = ("", "127.0.0.1", "0.0.0.0", "::1", "::")
_NOT_INBOUND = ("subjectAltNames", "httpsRedirect", "credentialName", "credentialNames", "tlsCertificates")


def _sidecar(value: dict[str, Any]) -> Faults:
    spec = value.get("spec") or {}
    if bad := names.selector(spec.get("workloadSelector"), "labels"):
        return below(bad, "spec", "workloadSelector")
    if not any(spec.get(f) for f in ("egress", "ingress")) and not any(
        f in spec for f in ("outboundTrafficPolicy", "inboundConnectionPool")
    ):
        return at("a Sidecar must say something: `egress`, `ingress`, …", "spec")
    bad = [*below(_ingress(spec), "spec"), *below(_egress(spec), "spec")]
    bad += below(connection_pool(spec.get("inboundConnectionPool")), "spec", "inboundConnectionPool")
    bad += below(_outbound(spec.get("outboundTrafficPolicy") or {}), "spec", "outboundTrafficPolicy")
    return bad or None


def _ingress(spec: dict[str, Any]) -> Faults:
    numbers = set()
    for index, listener in enumerate(spec.get("ingress") or ()):
        port = listener["port"]
        bad = _port(port) or _inbound_tls(listener) or below(connection_pool(listener.get("connectionPool")), "connectionPool")
        bind = listener.get("bind", "")
        if not bad and bind and not names.is_ip(bind):
            bad = at(f"`{shown(bind)}` is no IP address", "bind")
        if not bad and (said := _endpoint(listener.get("defaultEndpoint", ""))):
            bad = at(said, "defaultEndpoint")
        if not bad and port.get("number") in numbers:
            bad = at("another listener has this port", "port", "number")
        if bad:
            return below(bad, "ingress", index)
        numbers.add(port.get("number"))
    return None


def _port(port: dict[str, Any]) -> Faults:
    if port.get("targetPort"):
        return at("`targetPort` means nothing on a Sidecar", "port", "targetPort")
    if port.get("name") and not names.is_label(port["name"]):
        return at(f"`{shown(port['name'])}` is no port name", "port", "name")
    if port.get("protocol") and port["protocol"].lower() not in names.PROTOCOLS:
        return at(f"`{shown(port['protocol'])}` is no protocol", "port", "protocol")
    return at(said, "port", "number") if (said := names.port(port.get("number", 0))) else None


def _endpoint(text: str) -> str | None:
    if not text:
        return None
    if text.startswith("unix://"):
        return names.unix_socket(text.removeprefix("unix://"))
    found = _HOST_PORT.fullmatch(text)
    if found is None or (found["v6"] or found["v4"] or "") not in _LOCAL:
        return f"`{shown(text)}` must be `127.0.0.1:PORT`, `0.0.0.0:PORT`, `[::1]:PORT`, `[::]:PORT`, `:PORT` or `unix://PATH`"
    good = found["port"].isdecimal() and len(found["port"]) < 10 and names.port(int(found["port"])) is None
    return None if good else f"`{shown(found['port'])}` is no port number"


def _inbound_tls(listener: dict[str, Any]) -> Faults:
    tls = listener.get("tls")
    if tls is None:
        return None
    for field in _NOT_INBOUND:
        if tls.get(field):
            return at("not for inbound listeners", "tls", field)
    if tls.get("mode") in ("ISTIO_MUTUAL", "AUTO_PASSTHROUGH"):
        return at(f"{tls['mode']} is not for inbound listeners", "tls", "mode")
    if names.PROTOCOLS.get(listener["port"].get("protocol", "").lower()) not in names.TLS:
        return at("`tls` needs protocol HTTPS or TLS", "tls")
    return below(server_tls(tls), "tls")


def _egress(spec: dict[str, Any]) -> Faults:
    listeners = spec.get("egress") or []
    taken: set[Any] = set()
    for index, listener in enumerate(listeners):
        bad: Faults = None
        port = listener.get("port")
        if port is None:
            if index != len(listeners) - 1:
                bad = at("a listener without port catches everything, so it must be the last")
        else:
            bad = _outbound_port(port, listener)
            key = port.get("number") or listener.get("bind", "")
            if not bad and key in taken:
                bad = at("another listener has this port", "port")
            taken.add(key)
        if not bad and not listener["hosts"]:
            bad = at("at least one host is required", "hosts")
        for number, host in enumerate(listener["hosts"]):
            if not bad and (said := names.scoped_host(host, gateway=False)):
                bad = at(said, "hosts", number)
        if bad:
            return below(bad, "egress", index)
    return None


def _outbound_port(port: dict[str, Any], listener: dict[str, Any]) -> Faults:
    bind = listener.get("bind", "")
    if port.get("number"):
        return _port(port) or (at(f"`{shown(bind)}` is no IP address", "bind") if bind and not names.is_ip(bind) else None)
    if bad := _port({**port, "number": 1}):
        return bad
    if not bind.startswith("unix://"):
        return at("port 0 needs a Unix socket in `bind`", "bind")
    if said := names.unix_socket(bind.removeprefix("unix://")):
        return at(said, "bind")
    return at("must be DEFAULT or NONE for a Unix socket", "captureMode") if listener.get("captureMode") == "IPTABLES" else None


def _outbound(policy: dict[str, Any]) -> Faults:
    proxy = policy.get("egressProxy")
    if proxy is None:
        return None
    if policy.get("mode", "REGISTRY_ONLY") != "ALLOW_ANY":
        return at("`egressProxy` needs mode ALLOW_ANY", "egressProxy")
    if said := names.fqdn(proxy["host"]):
        return at(said, "egressProxy", "host")
    return at("`port` is required", "egressProxy", "port") if proxy.get("port") is None else below(destination(proxy), "egressProxy")


CHECKS: Mapping[str, Check] = {"Sidecar": _sidecar}
