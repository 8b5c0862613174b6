"""Rules of routes as routes of a proxy, in their order of precedence.

Sources: kubernetes-sigs/gateway-api:apis/v1/httproute_types.go, grpcroute_types.go;
istio/istio:pilot/pkg/config/kube/gateway/conversion.go:convertHTTPRoute,sortHTTPRoutes,createGRPCURIMatch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from meshcheck.model.gateway_api import BackendRef, BackendTLSPolicy, ObjectReference, Route, RouteRule
from meshcheck.model.istio_networking import Destination, HttpMatch, HttpRoute, StringMatch
from meshcheck.model.objects import Path
from meshcheck.model.record import NamedTuple, replace
from meshcheck.semantics.gateway_api.grants import permitted
from meshcheck.semantics.world.control_plane import INFERENCE_POOLS, switched
from meshcheck.semantics.world.world import World

_EMPTY: Mapping[str, Any] = {}
_SERVICE, _HOSTNAME, _IMPORT = ("", "Service"), ("networking.istio.io", "Hostname"), ("multicluster.x-k8s.io", "ServiceImport")
_ELSEWHERE = frozenset(
    [
        *("gateway.envoyproxy.io", "multicluster.x-k8s.io", "net.gke.io", "traefik.io"),
        *("inference.networking.k8s.io", "inference.networking.x-k8s.io"),
    ]
)
"""Groups of backends that controllers other than Istio may know."""
_POOL = ("inference.networking.k8s.io", "InferencePool")
_REDIRECT_DEFAULT = 302


class Converted(NamedTuple):
    """A route's rules, one for each match. `broken` says why the whole route is of no use."""

    routes: tuple[HttpRoute, ...]
    broken: str | None = None


class Unsupported(ValueError):
    """Something in a rule that makes the controller drop the route; the text says what."""


def convert(world: World, route: Route, *, in_mesh: bool = False, istio: bool = False, envoy: bool = False) -> Converted:
    """The rules of an HTTPRoute or GRPCRoute. References are checked, except for routes `in_mesh`, which belong to their callers.

    `istio`: Istio drops a route with filters that it does not know; what others make of them is not known. `envoy`: Envoy Gateway lets
    preflights reach the CORS filter of a rule that is for another method.
    """
    try:
        routes = [item for rule in route.rules for item in _rule(world, route, rule, in_mesh, istio)]
        return Converted(tuple(routes + ([twin for item in routes if (twin := _for_preflights(item)) is not None] if envoy else [])))
    except Unsupported as error:
        return Converted((), str(error))


def _rule(world: World, route: Route, rule: RouteRule, in_mesh: bool, istio: bool) -> Iterable[HttpRoute]:
    filters = {item.get("type"): item for item in rule.filters}
    strange = [kind for kind in filters if kind not in _FILTERS]
    if strange and istio:
        raise Unsupported(f"Istio knows no {strange[0]} filters")
    redirect = (filters.get("RequestRedirect") or _EMPTY).get("requestRedirect")
    rewrite = (filters.get("URLRewrite") or _EMPTY).get("urlRewrite")
    headers = (filters.get("RequestHeaderModifier") or _EMPTY).get("requestHeaderModifier")
    cors = (filters.get("CORS") or _EMPTY).get("cors")
    backends = [ref for ref in rule.backends if ref.weight]
    of_backends = {item.get("type"): item for ref in backends for item in ref.filters}
    if "RequestRedirect" in of_backends and len(backends) == 1:  # the filter of the only backend is one of the rule
        redirect = redirect or of_backends["RequestRedirect"].get("requestRedirect")
    empty = not backends and redirect is None
    known, unclear = _known(world, route, backends, istio or in_mesh)
    unclear = f"what the {strange[0]} filter of {route.meta.ref} does" if strange else unclear
    for n, match in enumerate(rule.matches or (_EMPTY,)):
        field = (*rule.field, "matches", n) if rule.matches else rule.field
        yield HttpRoute(
            name=rule.name or f"{route.meta.namespace}.{route.meta.name}.{rule.field[-1]}",
            matches=(_grpc_match(match, field) if route.kind == "GRPCRoute" else _http_match(match, field, istio),),
            destinations=tuple(_destination(world, route, ref, in_mesh) for ref in known),
            redirect=_redirect(redirect, istio) if redirect is not None else None,
            direct_response={"status": 500, "body": {"string": ""}} if empty else None,
            delegate=None,
            rewrite=_rewrite(rewrite) if rewrite is not None else None,
            abort_status=None,
            abort_percentage=0.0,
            cors=_cors(cors) if cors is not None else None,
            request_headers=_headers(headers) if headers is not None else {},
            field=rule.field,
            unclear=unclear or _unclear_tls(world, backends),
            timeout=rule.timeout,
        )


def _for_preflights(route: HttpRoute) -> HttpRoute | None:
    """The route that Envoy Gateway makes beside one with a CORS filter and a method, for the preflights of its requests.

    Source: envoyproxy/gateway:internal/gatewayapi/route.go (routes for CORS preflights).
    """
    match = route.matches[0]
    other = match.method is not None and match.method.value != "OPTIONS"
    if route.cors is None or not other or any(name.lower() == "cookie" for name, _ in match.headers):
        return None
    asked = tuple((name, StringMatch("present", "")) for name in ("origin", "access-control-request-method"))
    return replace(route, matches=(replace(match, method=StringMatch("exact", "OPTIONS"), headers=(*match.headers, *asked)),))


_FILTERS = frozenset(["RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite", "RequestMirror", "CORS"])


def _http_match(match: Mapping[str, Any], field: Path, istio: bool) -> HttpMatch:
    path = match.get("path") or _EMPTY
    kind, value = path.get("type") or "PathPrefix", path.get("value") or "/"
    if kind == "PathPrefix":
        uri = StringMatch("segments", value.rstrip("/") or "/")
    else:
        uri = StringMatch("exact" if kind == "Exact" else "regex", value)
    method = match.get("method")
    return _block(uri, StringMatch("exact", method) if method else None, match, field, istio)


def _grpc_match(match: Mapping[str, Any], field: Path) -> HttpMatch:
    method = match.get("method")
    uri = StringMatch("prefix", "/")
    if method:
        service, name = method.get("service"), method.get("method")
        if (method.get("type") or "Exact") == "Exact":
            if service and name:
                uri = StringMatch("exact", f"/{service}/{name}")
            else:
                uri = StringMatch("prefix", f"/{service}/") if service else StringMatch("regex", f"/[^/]+/{name}")
        else:
            uri = StringMatch("regex", f"/{service or '[^/]+'}/{name or '.+'}")
    return _block(uri, None, match, field)


def _block(uri: StringMatch, method: StringMatch | None, match: Mapping[str, Any], field: Path, istio: bool = False) -> HttpMatch:
    """`istio`: Istio takes names of headers that differ in case only for different headers, and asks for all of them."""
    return HttpMatch(
        path=uri,
        method=method,
        scheme=None,
        authority=None,
        headers=_named(match.get("headers"), lower=not istio),
        without_headers=(),
        query=_named(match.get("queryParams"), lower=False),
        port=None,
        gateways=(),
        source_labels={},
        source_namespace=None,
        field=field,
    )


def _named(items: Iterable[Mapping[str, Any]] | None, lower: bool) -> tuple[tuple[str, StringMatch], ...]:
    """Of several conditions with one name only the first counts."""
    out: dict[str, StringMatch] = {}
    for item in items or ():
        name = item.get("name") or ""
        regex = (item.get("type") or "Exact") == "RegularExpression"
        out.setdefault(name.lower() if lower else name, StringMatch("regex" if regex else "exact", item.get("value") or ""))
    return tuple(out.items())


def _known(world: World, route: Route, backends: list[BackendRef], istio: bool) -> tuple[list[BackendRef], str | None]:
    """The backends that lead somewhere known, and what is not known of the others: some controllers have kinds of their own."""
    strange = [ref for ref in backends if (_is_pool(world, ref) if istio else ref.group in _ELSEWHERE)]
    if not strange:
        return backends, None
    return [
        ref for ref in backends if ref not in strange
    ], f"what the {_kind_of(strange[0])} `{strange[0].name}` of {route.meta.ref} leads to"


def _is_pool(world: World, ref: BackendRef) -> bool:
    return (ref.group, ref.kind) == _POOL and switched(world, INFERENCE_POOLS)


def _kind_of(ref: BackendRef) -> str:
    return f"{ref.kind}.{ref.group}" if ref.group else ref.kind


def _destination(world: World, route: Route, ref: BackendRef, in_mesh: bool) -> Destination:
    """Istio's Hostnames and ServiceImports (which it takes for Services) are backends, too.

    Source: istio/istio:pilot/pkg/config/kube/gateway/conversion.go:buildDestination.
    """
    broken = backend_problem(world, route, ref, in_mesh)
    if broken is None and ref.port is None:
        raise Unsupported(f"a backendRef to {ref.kind} {ref.name} names no port")
    host = ref.name if (ref.group, ref.kind) == _HOSTNAME else f"{ref.name}.{ref.namespace}.svc.cluster.local"
    return Destination(host, None, ref.port, ref.weight, ref.field, broken)


def tcp_destinations(world: World, route: Route, rule: RouteRule) -> tuple[Destination, ...]:
    """Where a rule of a TCPRoute or TLSRoute leads."""
    return tuple(_destination(world, route, ref, False) for ref in rule.backends if ref.weight and ref.port is not None)


def backend_problem(world: World, route: Route, ref: BackendRef, in_mesh: bool) -> str | None:
    """Why a backend cannot be used; calls to it get 500."""
    if (ref.group, ref.kind) == _POOL:
        return f"backendRef to an InferencePool, which istiod takes only where {INFERENCE_POOLS.name} is set"
    if (ref.group, ref.kind) not in (_SERVICE, _HOSTNAME, _IMPORT):
        return f"backendRef to a {_kind_of(ref)}: no Service"
    if (policy := _tls_policy(world, ref)) is not None and (why := _no_authority(world, policy)) is not None:
        return f"{policy.meta.ref}: {why}"
    target = ObjectReference(ref.group, ref.kind, ref.namespace, ref.name, ref.field)
    if not in_mesh and not permitted(world, route.kind, route.meta.namespace, target):
        return f"no ReferenceGrant in namespace {ref.namespace} lets {route.kind} of {route.meta.namespace} use Service {ref.name}"
    return None


def _tls_policy(world: World, ref: BackendRef) -> BackendTLSPolicy | None:
    """The BackendTLSPolicy for a backend: the oldest that names its port, else the Service."""
    found = [
        (section == "", policy.meta.created or "9999", policy.meta.name, policy)
        for policy in world.inventory.of("BackendTLSPolicy")
        for group, kind, name, section in policy.targets
        if policy.meta.namespace == ref.namespace and (group, kind, name) == (ref.group, ref.kind, ref.name)
        if section == "" or _is_port(world, ref, section)
    ]
    return min(found, key=lambda item: item[:3])[3] if found else None


def _is_port(world: World, ref: BackendRef, section: str) -> bool:
    service = world.service(ref.namespace, ref.name)
    return service is not None and any(p.name == section and p.number == ref.port for p in service.ports)


def _no_authority(world: World, policy: BackendTLSPolicy) -> str | None:
    """Why none of its CA certificates can be used."""
    if policy.well_known or not policy.authorities:
        return None
    for ref in policy.authorities:
        if (ref.group, ref.kind) not in (("", "ConfigMap"), ("", "Secret")):
            continue
        found = world.config_map(ref.namespace, ref.name) if ref.kind == "ConfigMap" else None
        if ref.kind == "Secret" or not world.complete("ConfigMap", namespace=ref.namespace):
            return None
        if found is not None and "-----BEGIN " in str(found[1].get("ca.crt") or ""):
            return None
    return "none of its caCertificateRefs leads to a CA certificate"


def _unclear_tls(world: World, backends: Iterable[BackendRef]) -> str | None:
    """What is not known of TLS to backends: whether they speak it, and with which certificate."""
    for ref in backends:
        policy = _tls_policy(world, ref)
        if policy is not None and _no_authority(world, policy) is None:
            return f"whether Service {ref.namespace}/{ref.name} answers with a certificate that {policy.meta.ref} accepts"
    return None


def _redirect(item: Mapping[str, Any], istio: bool) -> dict[str, Any]:
    """As a VirtualService has it; `prefixRewrite` is for this kind alone. Istio puts its text where the prefix was, slashes and all."""
    out: dict[str, Any] = {"redirectCode": item.get("statusCode") or _REDIRECT_DEFAULT}
    if item.get("hostname"):
        out["authority"] = item["hostname"]
    if item.get("scheme"):
        out["scheme"] = item["scheme"]
    if item.get("port"):
        out["port"] = item["port"]
    else:
        out["derivePort"] = "FROM_PROTOCOL_DEFAULT" if item.get("scheme") else "FROM_REQUEST_PORT"
    path = item.get("path") or _EMPTY
    if path.get("type") == "ReplaceFullPath":
        out["uri"] = path.get("replaceFullPath") or ""
    elif path.get("type") == "ReplacePrefixMatch":
        out["prefixAsWritten" if istio else "prefixRewrite"] = path.get("replacePrefixMatch") or ("" if istio else "/")
    return out


def _rewrite(item: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    path = item.get("path") or _EMPTY
    if path.get("type") == "ReplacePrefixMatch":
        out["uri"] = (path.get("replacePrefixMatch") or "").removesuffix("/") or "/"
    elif path.get("type") == "ReplaceFullPath":
        out["fullPath"] = path.get("replaceFullPath") or ""
    if item.get("hostname"):
        out["authority"] = item["hostname"]
    return out


def _headers(item: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {key: {h["name"]: h.get("value") or "" for h in item.get(key) or ()} for key in ("set", "add")}
    out["remove"] = list(item.get("remove") or ())
    return out


def _cors(item: Mapping[str, Any]) -> dict[str, Any]:
    """Origins of Gateway API as matchers; preflights of other origins are answered without CORS headers."""
    return {
        "allowOrigins": origin_matchers(item.get("allowOrigins") or ()),
        "allowMethods": list(item.get("allowMethods") or ()),
        "allowHeaders": list(item.get("allowHeaders") or ()),
        "exposeHeaders": list(item.get("exposeHeaders") or ()),
        "allowCredentials": item.get("allowCredentials") is True,
        "maxAge": f"{item.get('maxAge') or 5}s",
        "unmatchedPreflights": "IGNORE",
    }


def origin_matchers(written: Iterable[str]) -> list[dict[str, str]]:
    """Origins as Gateway API writes them, as matchers: a star stands for any text."""
    origins: list[dict[str, str]] = []
    for origin in written:
        if "*" not in origin:
            origins.append({"exact": origin})
        elif origin == "*":
            origins.append({"regex": ".*"})
        else:
            origins.append({"regex": ".*".join(_escaped(part) for part in origin.split("*"))})
    return origins


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in ".+?()[]{}^$|\\" else letter for letter in text)


_RANK = {"exact": 3, "segments": 2, "prefix": 2, "regex": 1}


def precedence(route: HttpRoute, envoy: bool = False) -> tuple[float, int, int, int, int]:
    """The order of rules: path (exact, prefix by length, regular expressions), method, headers, query parameters.

    `envoy`: Envoy Gateway puts regular expressions before prefixes, and counts a method as one more header
    (envoyproxy/gateway:internal/gatewayapi/sort.go).
    """
    match = route.matches[0]
    path = match.path
    rank: float
    rank, length = (_RANK[path.kind], len(path.value)) if path is not None else (-1, 0)
    if envoy:
        rank = 2.5 if path is not None and path.kind == "regex" else rank
        return -rank, -length, -len(match.headers) - (match.method is not None), -len(match.query), 0
    return -rank, -length, 0 if match.method else 1, -len(match.headers), -len(match.query)
