"""Gateway.

Source: istio/istio:pkg/config/validation/validation.go:ValidateGateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.admission.faults import Check, Faults, at, below
from meshcheck.decode.admission.istiod import names
from meshcheck.decode.admission.istiod.server_tls import server_tls
from meshcheck.decode.admission.words import shown


def _gateway(value: dict[str, Any]) -> Faults:
    name, servers = (value.get("metadata") or {}).get("name"), (value.get("spec") or {}).get("servers") or []
    if name and not names.is_label(name):
        return at(f"a Gateway's name is a DNS label, without dots: `{shown(name)}`", "metadata", "name")
    if not servers:
        return at("at least one server is required", "spec", "servers")
    bad: list[Any] = []
    seen: set[str] = set()
    for number, server in enumerate(servers):
        bad += below(_server(server), "spec", "servers", number)
        label = server["port"]["name"]
        if label in seen:
            bad += at(f"two servers have a port of the name `{shown(label)}`", "spec", "servers", number, "port", "name")
        seen.add(label)
    return bad or None


def _server(server: dict[str, Any]) -> Faults:
    if not server["hosts"]:
        return at("at least one host is required", "hosts")
    for number, host in enumerate(server["hosts"]):
        if said := names.scoped_host(host, gateway=True):
            return at(said, "hosts", number)
    port, bind, tls = server["port"], server.get("bind", ""), server.get("tls")
    protocol = names.PROTOCOLS.get(port["protocol"].lower())
    if protocol is None:
        return at(f"`{shown(port['protocol'])}` is no protocol: HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP, TLS, …", "port", "protocol")
    socket = bind.startswith("unix://")
    if (port["number"] > 0 or not socket) and (said := names.port(port["number"])):
        return at(said, "port", "number")
    if port.get("targetPort"):
        return at("`targetPort` means nothing on a Gateway", "port", "targetPort")
    if not port["name"]:
        return at("a port needs a name", "port", "name")
    if socket:
        if said := names.unix_socket(bind.removeprefix("unix://")):
            return at(said, "bind")
        if port["number"]:
            return at("a Unix socket has no port: the number must be 0", "port", "number")
    elif bind and not names.is_ip(bind):
        return at(f"`{shown(bind)}` is no IP address", "bind")
    if tls is None:
        return at(f"protocol {protocol} needs `tls`", "tls") if protocol in names.TLS else None
    if bad := server_tls(tls):
        return below(bad, "tls")
    if protocol in names.TLS:
        return None
    passes = tls.get("mode", "PASSTHROUGH") in ("PASSTHROUGH", "AUTO_PASSTHROUGH")
    if protocol in names.HTTP and passes and not any(tls.get(f) for f in ("caCertificates", "privateKey", "serverCertificate")):
        return None  # for `httpsRedirect`
    return at(f"protocol {protocol} takes no `tls`; HTTPS and TLS do", "tls")


CHECKS: Mapping[str, Check] = {"Gateway": _gateway}
