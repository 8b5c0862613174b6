"""Gateway API's kinds, with the defaults of their CRDs. Values were admitted before, so types can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.metadata import decode_selector
from meshcheck.model.core import Selector
from meshcheck.model.gateway_api import (
    GROUP,
    BackendRef,
    BackendTLSPolicy,
    Gateway,
    GatewayClass,
    Listener,
    ListenerSet,
    ObjectReference,
    ParentRef,
    ReferenceGrant,
    Route,
    RouteRule,
)
from meshcheck.model.objects import Meta, Path

_EMPTY: Mapping[str, Any] = {}


def decode_gateway_class(value: Mapping[str, Any], meta: Meta) -> GatewayClass:
    """A GatewayClass."""
    return GatewayClass(meta, _spec(value).get("controllerName") or "")


def decode_gateway(value: Mapping[str, Any], meta: Meta) -> Gateway:
    """A Gateway."""
    spec = _spec(value)
    allowed = ((spec.get("allowedListeners") or _EMPTY).get("namespaces")) or _EMPTY
    frontend = ((spec.get("tls") or _EMPTY).get("frontend")) or _EMPTY
    validations = [frontend.get("default"), *((port or _EMPTY).get("tls") for port in frontend.get("perPort") or ())]
    return Gateway(
        meta=meta,
        class_name=spec.get("gatewayClassName") or "",
        listeners=_listeners(spec, meta),
        addresses=tuple((a.get("type") or "IPAddress", a.get("value") or "") for a in spec.get("addresses") or ()),
        listener_sets=(allowed.get("from") or "None", _selector(allowed, ("spec", "allowedListeners", "namespaces", "selector"))),
        client_certificates=any((v or _EMPTY).get("validation") for v in validations),
        ready=_has_address(value.get("status")),
    )


def _has_address(status: Any) -> bool | None:
    return bool(status.get("addresses")) if isinstance(status, dict) and status else None


def decode_listener_set(value: Mapping[str, Any], meta: Meta) -> ListenerSet:
    """A ListenerSet, also in its experimental form (XListenerSet)."""
    spec = _spec(value)
    parent = spec.get("parentRef") or _EMPTY
    return ListenerSet(meta, (parent.get("namespace") or meta.namespace, parent.get("name") or ""), _listeners(spec, meta))


def _listeners(spec: Mapping[str, Any], meta: Meta) -> tuple[Listener, ...]:
    return tuple(_listener(item, ("spec", "listeners", n), meta) for n, item in enumerate(spec.get("listeners") or ()))


def _listener(item: Mapping[str, Any], field: Path, meta: Meta) -> Listener:
    tls, allowed = item.get("tls"), item.get("allowedRoutes") or _EMPTY
    namespaces = allowed.get("namespaces") or _EMPTY
    kinds = allowed.get("kinds")
    references = (tls or _EMPTY).get("certificateRefs") or ()
    return Listener(
        name=item.get("name") or "",
        hostname=(item.get("hostname") or "").lower(),
        port=item.get("port") or 0,
        protocol=item.get("protocol") or "",
        tls_mode=None if tls is None else tls.get("mode") or "Terminate",
        certificates=tuple(_reference(ref, (*field, "tls", "certificateRefs", n), meta, "Secret") for n, ref in enumerate(references)),
        kinds=tuple((GROUP if k.get("group") is None else k["group"], k.get("kind") or "") for k in kinds) if kinds else None,
        namespaces=namespaces.get("from") or "Same",
        selector=_selector(namespaces, (*field, "allowedRoutes", "namespaces", "selector")),
        field=field,
    )


def _selector(namespaces: Mapping[str, Any], field: Path) -> Selector | None:
    return decode_selector(namespaces["selector"], field) if namespaces.get("selector") is not None else None


def _reference(ref: Mapping[str, Any], field: Path, meta: Meta, kind: str) -> ObjectReference:
    return ObjectReference(
        ref.get("group") or "", ref.get("kind") or kind, ref.get("namespace") or meta.namespace, ref.get("name") or "", field
    )


def decode_route(value: Mapping[str, Any], meta: Meta) -> Route:
    """A route of any kind."""
    spec = _spec(value)
    return Route(
        meta=meta,
        kind=value["kind"],
        parents=tuple(_parent(item, ("spec", "parentRefs", n), meta) for n, item in enumerate(spec.get("parentRefs") or ())),
        hostnames=tuple(h.lower() for h in spec.get("hostnames") or ()),
        rules=tuple(_rule(item, ("spec", "rules", n), meta) for n, item in enumerate(spec.get("rules") or ())),
    )


def _parent(item: Mapping[str, Any], field: Path, meta: Meta) -> ParentRef:
    return ParentRef(
        group=GROUP if item.get("group") is None else item["group"],
        kind=item.get("kind") or "Gateway",
        namespace=item.get("namespace") or meta.namespace,
        name=item.get("name") or "",
        section=item.get("sectionName") or None,
        port=item.get("port") or None,
        field=field,
    )


def _rule(item: Mapping[str, Any], field: Path, meta: Meta) -> RouteRule:
    return RouteRule(
        name=item.get("name") or "",
        matches=tuple(item.get("matches") or ()),
        filters=tuple(item.get("filters") or ()),
        backends=tuple(_backend(ref, (*field, "backendRefs", n), meta) for n, ref in enumerate(item.get("backendRefs") or ())),
        field=field,
        timeout=str((item.get("timeouts") or _EMPTY).get("request") or ""),
    )


def _backend(ref: Mapping[str, Any], field: Path, meta: Meta) -> BackendRef:
    weight = ref.get("weight")
    return BackendRef(
        group=ref.get("group") or "",
        kind=ref.get("kind") or "Service",
        namespace=ref.get("namespace") or meta.namespace,
        name=ref.get("name") or "",
        port=ref.get("port"),
        weight=1 if weight is None else weight,
        filters=tuple(ref.get("filters") or ()),
        field=field,
    )


def decode_reference_grant(value: Mapping[str, Any], meta: Meta) -> ReferenceGrant:
    """A ReferenceGrant."""
    spec = _spec(value)
    return ReferenceGrant(
        meta,
        tuple((f.get("group") or "", f.get("kind") or "", f.get("namespace") or "") for f in spec.get("from") or ()),
        tuple((t.get("group") or "", t.get("kind") or "", t.get("name") or "") for t in spec.get("to") or ()),
    )


def decode_backend_tls_policy(value: Mapping[str, Any], meta: Meta) -> BackendTLSPolicy:
    """A BackendTLSPolicy."""
    spec = _spec(value)
    validation = spec.get("validation") or _EMPTY
    authorities = validation.get("caCertificateRefs") or ()
    targets = [(t.get("group") or "", t.get("kind") or "", t.get("name") or "", t.get("sectionName") or "") for t in spec["targetRefs"]]
    return BackendTLSPolicy(
        meta,
        tuple(targets),
        validation.get("hostname") or "",
        tuple(_reference(ref, ("spec", "validation", "caCertificateRefs", n), meta, "ConfigMap") for n, ref in enumerate(authorities)),
        bool(validation.get("wellKnownCACertificates")),
    )


def _spec(value: Mapping[str, Any]) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = value.get("spec") or _EMPTY
    return spec
