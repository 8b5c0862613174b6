"""The application at the end of a call, as far as its configuration is in the input: nginx."""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.question import Question
from meshcheck.model.record import replace
from meshcheck.model.trace import Station
from meshcheck.semantics import watching
from meshcheck.semantics.nginx.application import nginx_in
from meshcheck.semantics.nginx.application import station as nginx_station
from meshcheck.semantics.outbound.sending import Sending, with_token
from meshcheck.semantics.request_path import BadPath, normalise, split_target
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.server import bypasses_sidecar
from meshcheck.semantics.tracing.target import Backend
from meshcheck.semantics.world.world import World

_BY_CLIENTS = ("user-agent", "accept", "accept-encoding", "connection", "content-length", "content-type", "referer")
_BY_SIDECARS = ("x-forwarded-proto", "x-request-id", "x-forwarded-client-cert")


def stations(world: World, question: Question, who: CallerView, sending: Sending, backend: Backend, sidecar: bool) -> list[Station]:
    """What the application of the called workload makes of the call; empty where the input shows nothing of it."""
    workload = backend.workload
    if workload is None or question.protocol not in ("http", "https", "grpc") or not nginx_in(world, workload):
        return []
    if watching.by is not None:
        watching.by.opaque(f"the nginx of {workload} looks at requests in its own way")
    from meshcheck.semantics.nginx.request import BEHIND_SIDECAR, Request

    through = sidecar and not bypasses_sidecar(workload, backend.port)
    target = sending.path
    if through and question.is_http:
        path, query = split_target(target)
        try:
            target = normalise(path, world.mesh.normalization) + query
        except BadPath:
            return []
    headers = dict(sending.headers) if sending.headers is not None else with_token(question)
    hidden: tuple[str, ...] = ()
    if question.claims is not None or (through and world.request_authentications(workload)):
        sent = headers.get("authorization", ("",))[0]
        if question.claims is not None or sent.lower().startswith("bearer "):  # a token that was verified may be taken away
            headers.pop("authorization", None)
            hidden = ("authorization",)
    request = Request(
        method=sending.method,
        target=target,
        authority=sending.authority,
        headers=headers,
        guessed=frozenset((*_BY_CLIENTS, *(_BY_SIDECARS if through or sending.http_proxy else ()), *hidden)),
        address=BEHIND_SIDECAR if _hidden(workload, through) else question.source_ip or who.address or None,
        tls=question.protocol == "https" or (sending.transport == "tls" and sending.originates_tls),
        port=backend.port,
        pod_address=backend.address if backend.address in workload.addresses else "",
    )
    found = nginx_station(world, workload, request, question.protocol == "grpc")
    if found is None:
        return []
    if through and question.is_http and found.symptom is not None and found.symptom.kind == "reset":
        found = replace(found, symptom=symptoms.gateway_error("connection termination"))
    return [found]


def _hidden(workload: Workload, through: bool) -> bool:
    """Whether the sidecar connects to the application from an address of its own."""
    return through and workload.pod_annotations.get("sidecar.istio.io/interceptionMode") != "TPROXY"
