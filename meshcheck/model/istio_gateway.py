"""Istio's Gateway: which ports and hosts the pods that it selects listen for.

Source: istio/api:networking/v1/gateway.proto.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import record, value


@value
class ServerTls:
    """TLS of a server. `mode` is PASSTHROUGH, SIMPLE, MUTUAL, OPTIONAL_MUTUAL, ISTIO_MUTUAL or AUTO_PASSTHROUGH."""

    mode: str
    https_redirect: bool
    credentials: tuple[str, ...]
    """Secrets that hold the certificate, as they are named: `NAME` or `kubernetes-gateway://NAMESPACE/NAME`."""
    files: bool
    """The certificate comes from files of the gateway's pod."""


@record
class Server:
    """One server of a Gateway. `port` is the number of a port of the gateway's Service, or of the pod where no Service has it."""

    port: int
    name: str
    protocol: str
    """Upper case: HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TCP, TLS, MONGO…"""
    bind: str
    hosts: tuple[str, ...]
    """`NAMESPACE/HOST` or `HOST`; `.` and `*` as namespaces are already resolved."""
    tls: ServerTls | None
    field: Path


@record
class Gateway:
    """A Gateway, of Istio. `selector` names the labels of the pods that serve it."""

    meta: Meta
    selector: Mapping[str, str]
    servers: tuple[Server, ...]
