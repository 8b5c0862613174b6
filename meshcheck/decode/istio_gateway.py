"""Istio's Gateway. Values were admitted before, so types can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.istio_gateway import Gateway, Server, ServerTls
from meshcheck.model.objects import Meta, Path

_EMPTY: Mapping[str, Any] = {}


def decode_gateway(value: Mapping[str, Any], meta: Meta) -> Gateway:
    """A Gateway of Istio."""
    spec = value.get("spec") or _EMPTY
    return Gateway(
        meta=meta,
        selector=spec.get("selector") or {},
        servers=tuple(_server(item, ("spec", "servers", n), meta) for n, item in enumerate(spec.get("servers") or ())),
    )


def _server(item: Mapping[str, Any], field: Path, meta: Meta) -> Server:
    port, tls = item.get("port") or _EMPTY, item.get("tls")
    return Server(
        port=port.get("number") or 0,
        name=port.get("name") or "",
        protocol=(port.get("protocol") or "").upper(),
        bind=item.get("bind") or "",
        hosts=tuple(dict.fromkeys(_host(host.lower(), meta.namespace) for host in item.get("hosts") or ())),
        tls=_tls(tls) if tls is not None else None,
        field=field,
    )


def _host(text: str, own: str) -> str:
    """Source: istio/istio:pilot/pkg/model/gateway.go:sanitizeServerHostNamespace."""
    namespace, slash, host = text.partition("/")
    if not slash or namespace == "*":
        return host if slash else text
    return f"{own if namespace == '.' else namespace}/{host}"


def _tls(tls: Mapping[str, Any]) -> ServerTls:
    names = tls.get("credentialNames") or ([tls["credentialName"]] if tls.get("credentialName") else [])
    return ServerTls(
        mode=tls.get("mode") or "PASSTHROUGH",
        https_redirect=tls.get("httpsRedirect") is True,
        credentials=tuple(names),
        files=bool(tls.get("serverCertificate") or tls.get("tlsCertificates")),
    )
