"""The caller's side: where its sidecar sends the call, and how."""

from __future__ import annotations

from dataclasses import dataclass

from meshcheck.model.core import Workload
from meshcheck.model.question import Question
from meshcheck.model.trace import ALLOWED, DENIED, Station
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.server import Arrival
from meshcheck.semantics.tracing.target import Backend, TargetView
from meshcheck.semantics.world.world import World


@dataclass(frozen=True, slots=True, eq=False)
class Sending:
    """One way that the call may take."""

    stations: tuple[Station, ...]
    backend: Backend | None
    transport: str
    http_proxy: bool
    """An HTTP proxy of the caller's side turns failures on the wire into a 503."""
    tagged: bool
    path: str
    authority: str
    method: str
    sni: str | None
    missing: str | None = None


def authority_of(question: Question, what: TargetView) -> str:
    """The Host header: as given, else as a client makes it from the URL."""
    if question.host:
        return question.host
    plain = (question.protocol in ("http", "grpc") and what.port == 80) or (question.protocol == "https" and what.port == 443)
    return what.host if plain and not what.direct else f"{what.host}:{what.port}"


def send(world: World, question: Question, who: CallerView, what: TargetView, with_sidecar: bool, explain: bool) -> list[Sending]:
    """All ways that the call may take: one for each pod or weighted route."""
    authority = authority_of(question, what)
    transport = "mtls" if who.caller.mtls else "plaintext"
    return [Sending((), backend, transport, False, True, question.path, authority, question.method, question.sni) for backend in what.backends]


def arrival(world: World, question: Question, who: CallerView, sending: Sending, backend: Backend, now: float) -> Arrival:
    """The call as it arrives at the workload."""
    unknown = set()
    source = question.source_ip or who.address
    if not source:
        unknown.add("source_ip")
    forwarded = question.headers.get("x-forwarded-for")
    remote = forwarded[-1].rpartition(",")[2].strip() if forwarded else source
    if not remote:
        unknown.add("remote_ip")
    if not backend.address:
        unknown.add("destination_ip")
    sni = sending.sni
    if sni is None and sending.transport != "plaintext":
        unknown.add("sni")
    return Arrival(
        transport=sending.transport,
        principal=who.principal(world.mesh.trust_domain) if sending.transport == "mtls" else None,
        http=question.is_http,
        tagged=sending.tagged and question.is_http,
        method=sending.method,
        target=sending.path,
        authority=sending.authority,
        headers=with_token(question),
        source_ip=source,
        remote_ip=remote,
        destination_ip=backend.address,
        sni=sni or "",
        jwt=question.jwt,
        claims=question.claims,
        unknown=frozenset(unknown),
        now=now,
    )


def with_token(question: Question) -> dict[str, tuple[str, ...]]:
    """The question's headers, with `--jwt` as a bearer token."""
    headers = dict(question.headers)
    if question.jwt:
        headers["authorization"] = (f"Bearer {question.jwt}",)
    return headers


def without_server_sidecar(sending: Sending, workload: Workload, excluded: bool) -> Station:
    """A workload without a sidecar, or a port that is kept away from it: nothing looks at the call but the application."""
    why = "the port is excluded from the sidecar" if excluded else "no sidecar"
    if sending.transport == "mtls":
        return Station("mtls", "server", DENIED, f"{why}: the application gets TLS that it does not expect", symptom=symptoms.RESET, workload=str(workload))
    return Station("mtls", "server", ALLOWED, f"{why}: no policy of the mesh is applied", workload=str(workload))
