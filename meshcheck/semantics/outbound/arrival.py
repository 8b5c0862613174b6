"""The call as it arrives at the workload, made of what the caller's side sends."""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.question import Question
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Station
from meshcheck.semantics.outbound.sending import Sending, with_token
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.server import APPLICATION_TLS, Arrival
from meshcheck.semantics.tracing.target import Backend
from meshcheck.semantics.world.world import World


def arrival(world: World, question: Question, who: CallerView, sending: Sending, backend: Backend, now: float) -> Arrival:
    """The call as it arrives at the workload."""
    unknown = {"metadata"}  # of other filters: nobody knows it here
    source = question.source_ip or who.address
    if not source:
        unknown.add("source_ip")
    headers = with_token(question)
    if sending.headers is not None:
        headers = dict(sending.headers)
    forwarded = headers.get("x-forwarded-for")
    remote = forwarded[-1].rpartition(",")[2].strip() if forwarded else source
    if not remote:
        unknown.add("remote_ip")
    if not backend.address:
        unknown.add("destination_ip")
    if sending.sni is None and (sending.transport in ("mtls", "tls") or question.protocol in ("https", "tls")):
        unknown.add("sni")
    return Arrival(
        transport=sending.transport,
        principal=who.principal(world.mesh.trust_domain) if sending.transport in ("mtls", "hbone") else None,
        http=question.is_http,
        encrypted=question.protocol in ("https", "tls"),
        tagged=sending.tagged and question.is_http,
        method=sending.method,
        target=sending.path,
        authority=sending.authority,
        headers=headers,
        source_ip=source,
        remote_ip=remote,
        destination_ip=backend.address,
        sni=sending.sni or "",
        claims=question.claims,
        unknown=frozenset(unknown),
        now=now,
    )


def without_server_sidecar(sending: Sending, workload: Workload, lacking: str | None) -> Station:
    """A workload without a sidecar, or a port that is kept away from it: nothing looks at the call but the application.

    `lacking`: why there is no sidecar; None where there is one.
    """
    why = "the port is excluded from the sidecar" if lacking is None else f"no sidecar ({lacking})" if lacking else "no sidecar"
    if sending.originates_tls:
        fact = APPLICATION_TLS.format(workload, "that is called")
        return Station("mtls", "server", UNKNOWN, f"{why}: TLS that the caller's sidecar makes", missing=fact, workload=str(workload))
    if sending.transport == "mtls":
        return Station(
            "mtls",
            "server",
            DENIED,
            f"{why}: the application gets TLS that it does not expect",
            symptom=symptoms.RESET,
            workload=str(workload),
        )
    return Station("mtls", "server", ALLOWED, f"{why}: no policy of the mesh is applied", workload=str(workload))
