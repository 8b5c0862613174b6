"""Ingress and IngressClass. Values were admitted before, so types can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.ingress import Backend, Ingress, IngressClass, IngressPath, IngressRule
from meshcheck.model.objects import Meta, Path

_EMPTY: Mapping[str, Any] = {}


def decode_ingress(value: Mapping[str, Any], meta: Meta) -> Ingress:
    """An Ingress."""
    spec = value.get("spec") or _EMPTY
    return Ingress(
        meta=meta,
        class_name=spec.get("ingressClassName") or None,
        rules=tuple(_rule(item, ("spec", "rules", n)) for n, item in enumerate(spec.get("rules") or ())),
        default_backend=_backend(spec.get("defaultBackend")),
        tls=tuple((tuple(h.lower() for h in t.get("hosts") or ()), t.get("secretName") or "") for t in spec.get("tls") or ()),
    )


def _rule(item: Mapping[str, Any], field: Path) -> IngressRule:
    paths = (item.get("http") or _EMPTY).get("paths") or ()
    return IngressRule((item.get("host") or "").lower(), tuple(_path(p, (*field, "http", "paths", n)) for n, p in enumerate(paths)))


def _path(item: Mapping[str, Any], field: Path) -> IngressPath:
    kind = item.get("pathType") or "ImplementationSpecific"
    return IngressPath(item.get("path") or "/", kind, _backend(item.get("backend")), field)


def _backend(item: Mapping[str, Any] | None) -> Backend | None:
    service = (item or _EMPTY).get("service")
    if not service:
        return None
    port = service.get("port") or _EMPTY
    return Backend(service.get("name") or "", port.get("number") or port.get("name") or 0)


def decode_ingress_class(value: Mapping[str, Any], meta: Meta) -> IngressClass:
    """An IngressClass."""
    controller = (value.get("spec") or _EMPTY).get("controller")
    return IngressClass(meta, controller if isinstance(controller, str) else "")
