"""A call at Traefik: the entry point, the router that takes it, and its middlewares.

Source: traefik/traefik:pkg/muxer/http/mux.go, pkg/server/router/router.go, pkg/middlewares/forwardedheaders.
"""

from __future__ import annotations

import re

from meshcheck.model.core import Service, Workload
from meshcheck.model.ingress import Backend
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import DENIED, Mention, Station, Symptom
from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.entry.client import Peer
from meshcheck.semantics.entry.found import Found
from meshcheck.semantics.ingress.others import traefik
from meshcheck.semantics.ingress.others.asked import Asked
from meshcheck.semantics.ingress.others.controllers import controller_of
from meshcheck.semantics.ingress.traefik.routers import Router, moved, routers_of
from meshcheck.semantics.ingress.traefik.rule import Asked as Request
from meshcheck.semantics.ingress.traefik.rule import BadRequest, is_host, path_of
from meshcheck.semantics.outbound.sending import authority_of, with_token
from meshcheck.semantics.request_path import split_target
from meshcheck.semantics.tracing.call import Call

_NAME = "traefik"
_BAD_REQUEST = Symptom("http", 400, "400 Bad Request")


class Point(NamedTuple):
    """An entry point: its name, and what its options say.

    `trusted` are the blocks whose X-Forwarded-For is believed, `*` for all; None where the options are not in the input.
    """

    name: str
    tls: bool
    trusted: tuple[str, ...] | None


def find(call: Call, host: str, pod: Workload | None, port: int | None, peer: Peer) -> Found | None:
    """What Traefik makes of a call; None when it has no router at all for the host."""
    routers = routers_of(call.world, lambda ingress: controller_of(call.world, ingress) == _NAME, _empty(pod))
    encrypted = call.question.protocol == "https"
    point = _point(pod, port, encrypted)
    raw, query = split_target(call.question.path)
    authority = re.sub(r":\d*$", "", authority_of(call.question, call.what))
    try:
        path, sent = path_of(raw)
    except BadRequest as bad:
        if not any(_speaks_of(router, host) for router in routers):
            return None
        meta, why = routers[0].meta, str(bad)
        mention = Mention(meta)
        station = Station("listener", _NAME, DENIED, why, (mention,), symptom=_BAD_REQUEST, decider=mention)
        return Found(_NAME, meta, (), Backend("", 0), lambda asked, service: [station])
    whole = authority_of(call.question, call.what)
    scheme = "https" if encrypted else "http"
    request = Request(call.question.method, authority, path, query, with_token(call.question), peer.address, scheme, whole, sent + query)
    if not any(_speaks_of(r, host) or (r.matcher is not None and r.matcher(request) is not False) for r in routers):
        return None
    here = [r for r in routers if (not r.entry_points or point.name in r.entry_points) and (r.tls or point.tls) == encrypted]
    rated = sorted((r for r in here if r.matcher is not None), key=lambda r: -r.priority)
    for n, router in enumerate(rated):
        assert router.matcher is not None
        said = router.matcher(request)
        if said is False:
            continue
        same = [r for r in rated[n + 1 :] if r.priority == router.priority and r.matcher is not None and r.matcher(request) is not False]
        unclear = f"whether the rule `{router.rule}` takes the call" if said is None else None
        if same and unclear is None:
            unclear = f"which of {router.meta.ref} and {same[0].meta.ref} takes the call: their routers have the same priority"
        return _taken(router, point, request, moved(call.world, router.middlewares, sent + query), unclear)
    return _none(routers, [r for r in here if _speaks_of(r, host)])


def unread(call: Call) -> Station | None:
    """The 400 of Go for a path that it does not read."""
    try:
        path_of(split_target(call.question.path)[0])
    except BadRequest as bad:
        return Station("listener", _NAME, DENIED, str(bad), symptom=_BAD_REQUEST)
    return None


def _speaks_of(router: Router, host: str) -> bool:
    """Whether a rule names a host, or no host by its letters."""
    named = re.findall(r"Host\([`\"]([^`\"]*)[`\"]\)", router.rule)
    return not named or any(is_host(name, host) for name in named)


def _taken(router: Router, point: Point, request: Request, target: str, unclear: str | None) -> Found:
    believed = _believes(point, request.address)

    def guards(asked: Asked, service: Service | None) -> list[Station]:
        if believed is False:
            asked = asked._replace(headers={n: lines for n, lines in asked.headers.items() if not n.startswith("x-forwarded-")})
        return traefik.stations(asked, router.middlewares, router.meta, (*router.field, "middlewares"), request, believed)

    backends = router.backends
    if not backends and unclear is None:
        unclear = f"what the TraefikService of {router.meta.ref} makes of the call"
    return Found(
        _NAME, router.meta, router.field, backends[0] if backends else Backend("", 0), guards, unclear, backends[1:], target
    )  # fmt: skip


def _none(routers: tuple[Router, ...], here: list[Router]) -> Found | None:
    """No router takes the call: the nearest that was dropped says why, or one that is for another entry point."""
    lost = next((r for r in here if r.dropped), None)
    near = lost or next((r for r in routers if not r.dropped), routers[0])
    why = f"the router of {near.meta.ref} is dropped: {near.dropped}" if lost is not None else "no router takes the call"
    mention = Mention(near.meta, field=near.field)
    station = Station("route", _NAME, DENIED, why, (mention,), symptom=traefik.NOT_FOUND, decider=mention)
    return Found(_NAME, near.meta, near.field, Backend("", 0), lambda asked, service: [station])


def _believes(point: Point, address: str) -> bool | None:
    """Whether X-Forwarded-For of a client counts; None when it is not known."""
    if point.trusted is None or (not address and point.trusted and "*" not in point.trusted):
        return None
    given = parse_address(address)
    return "*" in point.trusted or (
        given is not None and any(block.holds(given) for text in point.trusted if (block := parse_block(text)) is not None)
    )


def _words(pod: Workload | None) -> list[str]:
    """The command line of the pods."""
    containers = ((pod.pod or {}) if pod is not None else {}).get("containers") or ()
    return [str(word) for c in containers for word in [*(c.get("command") or ()), *(c.get("args") or ())]]


def _empty(pod: Workload | None) -> frozenset[str]:
    """Which providers make routers to Services without pods: none by default, but the chart switches it on."""
    words = [word.lower() for word in _words(pod)]
    kinds = ("crd", "ingress")
    if not any(word.startswith("--entrypoints.") for word in words):
        return frozenset(kinds)
    return frozenset(k for k in kinds if any(re.fullmatch(rf"--providers\.kubernetes{k}\.allowemptyservices(=true)?", w) for w in words))


def _point(pod: Workload | None, port: int | None, encrypted: bool) -> Point:
    """The entry point on a port of the pods; without their options `web` and `websecure`, as the chart calls them."""
    options: dict[str, dict[str, str]] = {}
    for word in _words(pod):
        match = re.fullmatch(r"--entry[pP]oints\.([^.=]+)\.([^=]+)(?:=(.*))?", word)
        if match is not None:
            options.setdefault(match[1], {})[match[2].lower()] = match[3] if match[3] is not None else "true"
    name = next((n for n, o in options.items() if re.fullmatch(rf".*:{port}(/tcp)?", o.get("address", ""))), None)
    name = name or ("websecure" if encrypted else "web")
    found = options.get(name, {})
    trusted = tuple(filter(None, found.get("forwardedheaders.trustedips", "").split(",")))
    trusted = ("*",) if found.get("forwardedheaders.insecure") == "true" else trusted
    ends_tls = found.get("http.tls", "true" if not options and encrypted else "false") == "true"
    return Point(name, ends_tls, trusted if options else None)
