"""VirtualServices that hand routes over to others.

Source: istio/istio:pilot/pkg/model/virtualservice.go:mergeVirtualServicesIfNeeded,mergeHTTPRoutes,mergeHTTPMatchRequests,hasConflict.
"""

from __future__ import annotations

from meshcheck.model.istio_networking import HttpMatch, HttpRoute, StringMatch, VirtualService
from meshcheck.model.record import replace
from meshcheck.semantics.routing.selection import is_exported
from meshcheck.semantics.world.world import World


def expanded(world: World, virtual: VirtualService) -> VirtualService:
    """A VirtualService with the routes of its delegates in the places of the routes that name them.

    A route keeps its `delegate` where the World is open and does not hold it.
    """
    if not any(route.delegate is not None for route in virtual.http):
        return virtual
    return world.once(("expanded", id(virtual)), lambda: _expanded(world, virtual))


def _expanded(world: World, virtual: VirtualService) -> VirtualService:
    out: list[HttpRoute] = []
    for route in virtual.http:
        if route.delegate is None:
            out.append(route)
            continue
        found = _delegate(world, virtual, route.delegate)
        complete = world.complete("VirtualService", namespace=route.delegate[0] or virtual.meta.namespace)
        if found is None and not complete and not _is_known(world, virtual, route.delegate):
            out.append(route)  # it may exist: nobody knows what it does
        elif found is not None:  # a missing delegate takes its route with it
            out += [merged for child in found.http if (merged := _merged(route, child)) is not None]
    return replace(virtual, http=tuple(out))


def _is_known(world: World, root: VirtualService, name: tuple[str, str]) -> bool:
    wanted = (name[0] or root.meta.namespace, name[1])
    return any((v.meta.namespace, v.meta.name) == wanted for v in world.inventory.of("VirtualService"))


def _delegate(world: World, root: VirtualService, name: tuple[str, str]) -> VirtualService | None:
    wanted = (name[0] or root.meta.namespace, name[1])
    table = world.once(
        "delegates", lambda: {(v.meta.namespace, v.meta.name): v for v in world.inventory.of("VirtualService") if not v.hosts}
    )
    found: VirtualService | None = table.get(wanted)
    if found is None:
        return None
    export_to = found.export_to or world.mesh.virtual_service_export_to
    if not is_exported(export_to, found.meta.namespace, root.meta.namespace):
        return None
    return None if any(route.delegate is not None for route in found.http) else found


def _merged(root: HttpRoute, child: HttpRoute) -> HttpRoute | None:
    """The delegate's route under the root's; None when a match is not a part of one of the root's."""
    matches = _merged_matches(root.matches, child.matches)
    if matches is None:
        return None
    return replace(
        child,
        matches=matches,
        rewrite=child.rewrite if child.rewrite is not None else root.rewrite,
        abort_status=child.abort_status if child.abort_status is not None else root.abort_status,
        abort_percentage=child.abort_percentage if child.abort_status is not None else root.abort_percentage,
        cors=child.cors if child.cors is not None else root.cors,
        request_headers=_headers(root, child),
    )


def _headers(root: HttpRoute, child: HttpRoute) -> dict[str, object]:
    """The delegate's own words win, key by key."""
    out: dict[str, object] = dict(root.request_headers)
    for operation, wanted in child.request_headers.items():
        before = out.get(operation)
        if isinstance(before, dict) and isinstance(wanted, dict):
            out[operation] = {**before, **wanted}
        elif isinstance(before, list) and isinstance(wanted, list):
            out[operation] = [*before, *wanted]
        else:
            out[operation] = wanted
    return out


def _merged_matches(root: tuple[HttpMatch, ...], child: tuple[HttpMatch, ...]) -> tuple[HttpMatch, ...] | None:
    if not root:
        return child
    if not child:
        return root
    out: list[HttpMatch] = []
    for inner in child:
        found = [_both(outer, inner) for outer in root if not _conflict(outer, inner)]
        if not found:
            return None
        out += found
    return tuple(out)


def _both(outer: HttpMatch, inner: HttpMatch) -> HttpMatch:
    return replace(
        inner,
        path=inner.path or outer.path,
        method=inner.method or outer.method,
        scheme=inner.scheme or outer.scheme,
        authority=inner.authority or outer.authority,
        headers=tuple({**dict(outer.headers), **dict(inner.headers)}.items()),
        without_headers=tuple({**dict(outer.without_headers), **dict(inner.without_headers)}.items()),
        query=tuple({**dict(outer.query), **dict(inner.query)}.items()),
        port=inner.port if inner.port is not None else outer.port,
        gateways=inner.gateways or outer.gateways,
        source_labels={**outer.source_labels, **inner.source_labels},
        source_namespace=inner.source_namespace or outer.source_namespace,
    )


def _conflict(outer: HttpMatch, inner: HttpMatch) -> bool:
    """Whether the delegate's match is no part of the root's."""
    if _ignores_case(outer) != _ignores_case(inner) or any(
        _text_conflict(a, b)
        for a, b in (
            (outer.path, inner.path),
            (outer.method, inner.method),
            (outer.scheme, inner.scheme),
            (outer.authority, inner.authority),
        )
    ):
        return True
    for a, b in ((outer.headers, inner.headers), (outer.without_headers, inner.without_headers), (outer.query, inner.query)):
        given = dict(b)
        if any(_text_conflict(match, given.get(name)) for name, match in a):
            return True
    if outer.port is not None and inner.port is not None and outer.port != inner.port:
        return True
    if any(inner.source_labels.get(key, value) != value for key, value in outer.source_labels.items()):
        return True
    if outer.gateways and any(name not in outer.gateways for name in inner.gateways):
        return True
    return bool(outer.source_namespace) and outer.source_namespace != inner.source_namespace


def _ignores_case(match: HttpMatch) -> bool:
    """A match without a path counts as one that looks at the case."""
    return match.path is not None and match.path.ignore_case


def _text_conflict(outer: StringMatch | None, inner: StringMatch | None) -> bool:
    if outer is None or inner is None:
        return False
    if outer.kind == "regex" or inner.kind == "regex":
        return True
    if outer.kind == "present" or inner.kind == "present":
        return inner.kind == "present" and outer.kind != "present"
    if inner.kind == "prefix":
        return outer.kind == "exact" or not inner.value.startswith(outer.value)
    return outer.value != inner.value if outer.kind == "exact" else not inner.value.startswith(outer.value)


def unknown_delegate(virtual: VirtualService, route: HttpRoute) -> str | None:
    """The fact that a route hangs on, when its delegate is not in the input."""
    if route.delegate is None:
        return None
    return f"the delegate {'/'.join(filter(None, route.delegate))} of {virtual.meta.ref}: it is not in the input"
