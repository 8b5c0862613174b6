"""The station at the end of a call: an nginx in the called workload, where its configuration is in the input.

A workload without such a configuration has no station, and what its application answers stays its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from meshcheck.model.core import Workload
from meshcheck.model.objects import Meta
from meshcheck.model.reason import Reason
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station, Symptom
from meshcheck.semantics.world.world import World

if TYPE_CHECKING:
    from meshcheck.model.nginx import Directive, Nginx
    from meshcheck.semantics.nginx.request import Request
    from meshcheck.semantics.nginx.run import Answer
    from meshcheck.semantics.nginx.servers import Listen
    from meshcheck.semantics.nginx.supposing import Supposing

STATION = "application"


def nginx_in(world: World, workload: Workload) -> tuple[Nginx, ...]:
    """The nginx containers of a workload's pods that have a visible configuration."""
    if workload.pod.get("volumes"):
        world.note("ConfigMap", workload.namespace, knowing=True)  # those that are not known are seen to below
    if not workload.pod.get("volumes") or not world.index("any config map", lambda: bool(world.inventory.of("ConfigMap"))):
        return () if world.coverage is None else _unread(world, workload)

    def find() -> tuple[Nginx, ...]:
        from meshcheck.decode.nginx import nginx_of

        def config_map(name: str) -> tuple[Meta, Mapping[str, Any]] | None:
            return world.config_map(workload.namespace, name)

        return nginx_of(workload.pod, config_map)

    found = world.index(("nginx", id(workload)), find)
    return found if world.coverage is None else found or _unread(world, workload)


def _unread(world: World, workload: Workload) -> tuple[Nginx, ...]:
    """None seen; where a ConfigMap that is not known may hold the configuration of an nginx, the answer depends on it."""
    if not world.complete("ConfigMap", namespace=workload.namespace):
        from meshcheck.decode.nginx import may_be_configured

        if may_be_configured(workload.pod):
            world.note("ConfigMap", workload.namespace)
    return ()


def station(world: World, workload: Workload, request: Request, http2: bool) -> Station | None:
    """What the workload's nginx makes of a request; None without one that listens on the port.

    `http2`: the caller speaks HTTP/2, as gRPC does.
    """
    from meshcheck.semantics.nginx.servers import candidates, listens
    from meshcheck.semantics.nginx.supposing import Undecided

    for nginx in nginx_in(world, workload):
        if nginx.broken is not None and not any(listens(item, nginx.root) for item in nginx.tree if item.name == "http"):
            return _unknown(workload, nginx.broken, [])
        for http in (item for item in nginx.tree if item.name == "http" and item.block is not None):
            try:
                here = candidates(listens(http, nginx.root), request.port, request.pod_address)
                if here:
                    return _answered(workload, nginx, http, here, request, http2)
            except Undecided as undecided:
                return _unknown(workload, undecided.args[0], [])
    return None


def _answered(workload: Workload, nginx: Nginx, http: Directive, here: list[Listen], request: Request, http2: bool) -> Station:
    from meshcheck.semantics.nginx.supposing import Undecided, every_way

    if nginx.broken is not None:
        return _unknown(workload, nginx.broken, [])
    trail: list[Directive] = []
    if http2 and not any("http2" in item.flags or _on(item.server, "http2") or _on(http, "http2") for item in here):
        return _unknown(workload, f"what nginx answers to HTTP/2 on port {request.port}, where it speaks HTTP/1.1 only", trail)
    try:
        outcomes, facts = every_way(lambda supposing: _run(nginx, http, here, request, supposing, trail))
    except Undecided as undecided:
        return _unknown(workload, undecided.args[0], trail)
    refusals = [answer for answer in outcomes if _refuses(answer)]
    if refusals and (len(refusals) < len(outcomes) or nginx.assumed):
        fact = "; ".join(facts) if len(refusals) < len(outcomes) else nginx.assumed or ""
        return _unknown(workload, fact, trail, refusals[0])
    return _sure(workload, outcomes[0], trail)


def _run(nginx: Nginx, http: Directive, here: list[Listen], request: Request, supposing: Supposing, trail: list[Directive]) -> Answer:
    """One run of a request. Raises Undecided."""
    from meshcheck.semantics.nginx.decide import ended, process
    from meshcheck.semantics.nginx.levels import Level, entered
    from meshcheck.semantics.nginx.request import BadRequest, host_of, normalised
    from meshcheck.semantics.nginx.run import Answer, Run
    from meshcheck.semantics.nginx.servers import choose, default
    from meshcheck.semantics.nginx.supposing import Undecided

    trail.clear()
    outer = entered(Level(http, None))
    try:
        host = host_of(request.authority)
        chosen = choose(here, host, supposing)
        server = Level(chosen.server, outer)
        path, _, args = request.target.partition("?")
        merge = Level(default(here).server, outer).last("merge_slashes")  # the request line comes before the Host header
        uri = normalised(path or "/", merge is None or merge.args != ("off",))
    except BadRequest as error:
        return Answer(400, str(error))
    run = Run(nginx, request, server, host, uri, args.partition("#")[0], supposing, trail)
    trail.append(chosen.server)
    if "proxy_protocol" in chosen.flags:
        raise Undecided(f"whether the call begins with the PROXY protocol, which `listen` on port {request.port} wants")
    encrypted = "ssl" in chosen.flags or _on(chosen.server, "ssl")
    if request.tls and not encrypted:
        return Answer(0, f"the call is TLS, and nginx takes plain HTTP on port {request.port}", chosen.server)
    if encrypted and not request.tls:
        answer = ended(run, entered(server), Answer(497, f"plain HTTP on port {request.port}, which takes TLS", chosen.server))
        return answer._replace(status=400) if answer.status == 497 else answer
    verify = server.last("ssl_verify_client")
    if encrypted and verify is not None and verify.args not in (("off",), ("optional_no_ca",)):
        raise Undecided(f"the certificate of the caller, which `{verify}` ({verify.place}) looks at")
    return process(run)


def _on(block: Directive, name: str) -> bool:
    return any(item.name == name and item.args == ("on",) for item in block.block or ())


def _refuses(answer: Answer) -> bool:
    return answer.status is not None and (answer.status >= 400 or answer.status == 0)


def _unknown(workload: Workload, fact: str, trail: list[Directive], refusal: Answer | None = None) -> Station:
    words = f"nginx may answer {refusal.status}: {_words(refusal)}" if refusal is not None else "what nginx answers is not known"
    mentions, reasons = _mentions(trail), _reasons(trail)
    return Station(STATION, "nginx", UNKNOWN, words, mentions, reasons, missing=fact, workload=str(workload))


def _sure(workload: Workload, answer: Answer, trail: list[Directive]) -> Station:
    mentions, reasons = _mentions(trail), _reasons(trail)
    words = _words(answer)
    if not _refuses(answer):
        said = f"nginx lets it through: {words}" if answer.status is None else f"nginx answers {answer.status}: {words}"
        return Station(STATION, "nginx", ALLOWED, said, mentions, workload=str(workload))
    source = answer.source or (answer.by.source if answer.by is not None else None)
    decider = Mention(source.meta, field=source.field) if source is not None else None
    if answer.status == 444:
        symptom = Symptom("reset")
    elif answer.status == 0:
        symptom = Symptom("tls")
    else:
        symptom = Symptom("http", answer.status, answer.body or "")
    return Station(STATION, "nginx", DENIED, words, mentions, reasons, symptom, decider=decider, workload=str(workload))


def _words(answer: Answer) -> str:
    where = answer.by
    if where is None:
        return answer.why
    return f"{answer.why} ({where.place})"


def _mentions(trail: list[Directive]) -> tuple[Mention, ...]:
    return tuple({d.source.meta.ref: Mention(d.source.meta, field=d.source.field) for d in trail if d.source is not None}.values())


def _reasons(trail: list[Directive]) -> tuple[Reason, ...]:
    """The blocks that the request goes through."""
    out = []
    for item in dict.fromkeys(trail):
        words = str(item)
        if item.name == "server":
            names = [name for d in item.block or () if d.name == "server_name" for name in d.args]
            words = f"server {' '.join(names)}".strip()
        ref = item.source.meta.ref if item.source is not None else None
        out.append(Reason(f"{words} ({item.place})", True, ref, item.source.field if item.source is not None else ()))
    return tuple(out)
