"""Istio's traffic kinds. Values were admitted before, so types can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from meshcheck.decode.attachment import decode_attachment
from meshcheck.model.core import ServicePort, Workload
from meshcheck.model.istio_networking import (
    GATEWAY,
    INBOUND,
    OUTBOUND,
    WAYPOINT,
    Destination,
    DestinationRule,
    EgressListener,
    Extension,
    HttpMatch,
    HttpRoute,
    L4Route,
    ServiceEntry,
    Sidecar,
    StringMatch,
    Subset,
    TrafficPolicy,
    VirtualService,
)
from meshcheck.model.objects import Meta, Path

_EMPTY: Mapping[str, Any] = {}


def decode_virtual_service(value: Mapping[str, Any], meta: Meta) -> VirtualService:
    """A VirtualService; without `gateways` it is for sidecars."""
    spec = value.get("spec") or _EMPTY
    return VirtualService(
        meta=meta,
        hosts=tuple(spec.get("hosts") or ()),
        gateways=_gateways(spec.get("gateways") or ("mesh",), meta.namespace),
        export_to=tuple(spec.get("exportTo") or ()),
        http=tuple(_http(route, ("spec", "http", n), meta.namespace) for n, route in enumerate(spec.get("http") or ())),
        tcp=tuple(_l4(route, ("spec", "tcp", n)) for n, route in enumerate(spec.get("tcp") or ())),
        tls=tuple(_l4(route, ("spec", "tls", n)) for n, route in enumerate(spec.get("tls") or ())),
    )


def _http(route: Mapping[str, Any], field: Path, namespace: str) -> HttpRoute:
    abort = (route.get("fault") or _EMPTY).get("abort") or _EMPTY
    percentage = abort.get("percentage")
    delegate = route.get("delegate")
    return HttpRoute(
        name=route.get("name") or "",
        matches=tuple(_match(item, (*field, "match", n), namespace) for n, item in enumerate(route.get("match") or ())),
        destinations=_destinations(route, field),
        redirect=route.get("redirect"),
        direct_response=route.get("directResponse"),
        delegate=(delegate.get("namespace") or "", delegate.get("name") or "") if delegate else None,
        rewrite=route.get("rewrite"),
        abort_status=abort.get("httpStatus"),
        abort_percentage=float((percentage or _EMPTY).get("value") or 0) if percentage is not None else 0.0,
        cors=route.get("corsPolicy"),
        request_headers=(route.get("headers") or _EMPTY).get("request") or _EMPTY,
        field=field,
        timeout=str(route.get("timeout") or ""),
    )


def _match(item: Mapping[str, Any], field: Path, namespace: str) -> HttpMatch:
    ignore_case = bool(item.get("ignoreUriCase"))
    path = _string(item.get("uri"))
    return HttpMatch(
        path=StringMatch(path.kind, path.value, ignore_case and path.kind != "regex") if path else None,
        method=_string(item.get("method")),
        scheme=_string(item.get("scheme")),
        authority=_string(item.get("authority")),
        headers=_named(item.get("headers")),
        without_headers=_named(item.get("withoutHeaders")),
        query=_named(item.get("queryParams")),
        port=item.get("port"),
        gateways=_gateways(item.get("gateways") or (), namespace),
        source_labels=item.get("sourceLabels") or {},
        source_namespace=item.get("sourceNamespace") or None,
        field=field,
    )


def _gateways(names: Iterable[str], own: str) -> tuple[str, ...]:
    """`mesh` or NAMESPACE/NAME. Source: istio/istio:pilot/pkg/model/virtualservice.go:resolveGatewayName."""
    out = []
    for name in names:
        if name == "mesh":
            out.append(name)
        elif "/" in name:
            namespace, _, rest = name.partition("/")
            out.append(f"{own if namespace == '.' else namespace}/{rest}")
        elif "." in name:
            parts = name.split(".")
            out.append(f"{parts[1]}/{parts[0]}")
        else:
            out.append(f"{own}/{name}")
    return tuple(out)


def _named(items: Mapping[str, Any] | None) -> tuple[tuple[str, StringMatch], ...]:
    return tuple((name, _string(value) or StringMatch("present", "")) for name, value in (items or {}).items())


def _string(value: Mapping[str, Any] | None) -> StringMatch | None:
    if value is None:
        return None
    for kind in ("exact", "prefix", "regex"):
        if value.get(kind) is not None:
            return StringMatch("present", "") if kind == "regex" and value[kind] == "*" else StringMatch(kind, value[kind])
    return StringMatch("present", "")


def _destinations(route: Mapping[str, Any], field: Path) -> tuple[Destination, ...]:
    out = []
    for n, item in enumerate(route.get("route") or ()):
        to = item.get("destination") or _EMPTY
        here = (*field, "route", n, "destination")
        out.append(
            Destination(
                to.get("host") or "", to.get("subset") or None, (to.get("port") or _EMPTY).get("number"), item.get("weight") or 0, here
            )
        )
    return tuple(out)


def _l4(route: Mapping[str, Any], field: Path) -> L4Route:
    return L4Route(tuple(route.get("match") or ()), _destinations(route, field), field)


def decode_destination_rule(value: Mapping[str, Any], meta: Meta) -> DestinationRule:
    """A DestinationRule."""
    spec = value.get("spec") or _EMPTY
    selector = spec.get("workloadSelector")
    return DestinationRule(
        meta=meta,
        host=spec.get("host") or "",
        policy=_policy(spec.get("trafficPolicy"), ("spec", "trafficPolicy")),
        subsets=tuple(
            Subset(
                item.get("name") or "",
                item.get("labels") or {},
                _policy(item.get("trafficPolicy"), ("spec", "subsets", n, "trafficPolicy")),
            )
            for n, item in enumerate(spec.get("subsets") or ())
        ),
        export_to=tuple(spec.get("exportTo") or ()),
        workload_selector=(selector.get("matchLabels") or {}) if selector else None,
    )


def _policy(value: Mapping[str, Any] | None, field: Path) -> TrafficPolicy | None:
    if value is None:
        return None
    tls = value.get("tls")
    ports = {(item.get("port") or _EMPTY).get("number"): _tls_mode(item.get("tls")) for item in value.get("portLevelSettings") or ()}
    return TrafficPolicy(_tls_mode(tls), {number: mode for number, mode in ports.items() if number}, field, (tls or _EMPTY).get("sni"))


def _tls_mode(tls: Mapping[str, Any] | None) -> str | None:
    return None if tls is None else tls.get("mode") or "DISABLE"


def decode_sidecar(value: Mapping[str, Any], meta: Meta) -> Sidecar:
    """A Sidecar; an `outboundTrafficPolicy` without a mode means REGISTRY_ONLY."""
    spec = value.get("spec") or _EMPTY
    selector, outbound, egress = spec.get("workloadSelector"), spec.get("outboundTrafficPolicy"), spec.get("egress")
    return Sidecar(
        meta=meta,
        selector=(selector.get("labels") or {}) if selector else None,
        egress=tuple(EgressListener(tuple(e.get("hosts") or ()), (e.get("port") or _EMPTY).get("number")) for e in egress)
        if egress
        else None,
        ingress=tuple(_port(item.get("port") or _EMPTY) for item in spec.get("ingress") or ()),
        outbound_mode=None if outbound is None else outbound.get("mode") or "REGISTRY_ONLY",
    )


def _port(port: Mapping[str, Any]) -> ServicePort:
    number = port.get("number") or 0
    return ServicePort(port.get("name") or "", number, port.get("targetPort") or number, "TCP", port.get("protocol"))


def decode_service_entry(value: Mapping[str, Any], meta: Meta) -> ServiceEntry:
    """A ServiceEntry."""
    spec = value.get("spec") or _EMPTY
    selector = spec.get("workloadSelector")
    return ServiceEntry(
        meta=meta,
        hosts=tuple(h.lower() for h in spec.get("hosts") or ()),
        addresses=tuple(spec.get("addresses") or ()),
        ports=tuple(_port(p) for p in spec.get("ports") or ()),
        location=spec.get("location") or "MESH_EXTERNAL",
        resolution=spec.get("resolution") or "NONE",
        endpoints=tuple(spec.get("endpoints") or ()),
        selector=(selector.get("labels") or {}) if selector else None,
        export_to=tuple(spec.get("exportTo") or ()),
    )


def decode_workload_entry(value: Mapping[str, Any], meta: Meta) -> Workload:
    """A WorkloadEntry: a machine that takes part in the mesh."""
    spec = value.get("spec") or _EMPTY
    address = spec.get("address") or ""
    return Workload(
        meta=meta,
        kind="WorkloadEntry",
        pod_labels={**meta.labels, **(spec.get("labels") or {})},
        pod_annotations=meta.annotations,
        service_account=spec.get("serviceAccount") or "default",
        ports=(),
        host_network=False,
        addresses=(address,) if address else (),
        node="",
        owner=None,
        containers=(),
    )


_HARMLESS = frozenset(["CLUSTER", "BOOTSTRAP"])
_CONTEXTS = {
    "SIDECAR_INBOUND": (INBOUND,),
    "SIDECAR_OUTBOUND": (OUTBOUND,),
    "GATEWAY": (GATEWAY,),
    "WAYPOINT": (WAYPOINT,),
    "ANY": (INBOUND, OUTBOUND, GATEWAY),
}
_MODES = {"SERVER": (INBOUND,), "CLIENT": (OUTBOUND, GATEWAY)}


def decode_envoy_filter(value: Mapping[str, Any], meta: Meta) -> Extension:
    """An EnvoyFilter: which listeners its patches touch."""
    spec = value.get("spec") or _EMPTY
    contexts = [
        ((patch or _EMPTY).get("match") or _EMPTY).get("context") or "ANY"
        for patch in spec.get("configPatches") or ()
        if (patch or _EMPTY).get("applyTo") not in _HARMLESS
    ]
    selector = spec.get("workloadSelector")
    attachment = decode_attachment({**spec, "selector": {"matchLabels": selector.get("labels")} if selector else None})
    return Extension(meta, attachment, {where: frozenset() for context in contexts for where in _CONTEXTS.get(context, _CONTEXTS["ANY"])})


def decode_plugin(value: Mapping[str, Any], meta: Meta) -> Extension:
    """A WasmPlugin or TrafficExtension. Source: istio/istio:pilot/pkg/model/extensions.go (modes of listeners, types of plugins)."""
    spec = value.get("spec") or _EMPTY
    listeners: dict[str, frozenset[int]] = {}
    for match in spec.get("match") or (_EMPTY,):
        ports = frozenset(item.get("number") for item in match.get("ports") or ())
        for where in _MODES.get(match.get("mode") or "", _CONTEXTS["ANY"]):
            before = listeners.get(where)
            listeners[where] = ports if before is None else frozenset() if not (before and ports) else before | ports
    wasm = spec if meta.ref.kind == "WasmPlugin" else spec.get("wasm") or _EMPTY
    return Extension(meta, decode_attachment(spec), listeners, http_only=wasm.get("type") != "NETWORK")
