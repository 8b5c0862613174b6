"""Which protocol Istio takes a Service port for.

Source: istio/istio:pkg/config/kube/conversion.go:ConvertProtocol, pkg/config/protocol/instance.go:Parse.
"""

from __future__ import annotations

from meshcheck.model.core import ServicePort

HTTP, TCP, UDP, DETECTED = "http", "tcp", "udp", "detected"
"""HTTP family, opaque TCP (also TLS and databases), UDP, and ports whose protocol the sidecar has to detect."""

_FAMILY = {
    "http": HTTP, "http2": HTTP, "grpc": HTTP, "grpc-web": HTTP, "http_proxy": HTTP, "http-proxy": HTTP,
    "tcp": TCP, "https": TCP, "tls": TCP, "mongo": TCP, "redis": TCP, "mysql": TCP, "hbone": TCP, "udp": UDP,
}  # fmt: skip
_APP_PROTOCOL = {"kubernetes.io/h2c": HTTP, "kubernetes.io/ws": HTTP, "kubernetes.io/wss": TCP}
_WELL_KNOWN_TCP = frozenset([25, 53, 3306, 27017])
"""Ports of protocols in which the server speaks first."""


def protocol_of(port: ServicePort) -> str:
    """HTTP, TCP, UDP or DETECTED."""
    if port.protocol != "TCP":
        return UDP if port.protocol == "UDP" else TCP
    if port.app_protocol in _APP_PROTOCOL:
        return _APP_PROTOCOL[port.app_protocol]
    text = (port.name if port.app_protocol is None else port.app_protocol).lower()
    if text.startswith("grpc-web"):
        return HTTP
    found = _FAMILY.get(text.split("-")[0])
    if found is None and port.number in _WELL_KNOWN_TCP:
        return TCP
    return found or DETECTED
