"""One way that a call may take from a proxy or a caller, as far as that side decides it."""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.question import Question
from meshcheck.model.record import record, replace
from meshcheck.model.trace import DENIED, Mention, Station, Symptom
from meshcheck.semantics.ambient import waypoints
from meshcheck.semantics.ambient.waypoints import Binding, Called, Detour
from meshcheck.semantics.tracing.target import Backend, TargetView


@record
class Sending:
    """One way that the call may take."""

    stations: tuple[Station, ...]
    backend: Backend | None
    transport: str
    """plaintext, mtls, tls, or hbone: mTLS to ztunnel, whatever is in the tunnel."""
    http_proxy: bool
    """An HTTP proxy on the caller's side turns failures on the wire into a 503."""
    tagged: bool
    """The caller's sidecar recognised HTTP and says so to the server."""
    path: str
    authority: str
    method: str
    sni: str | None
    missing: str | None = None
    originates_tls: bool = False
    """The TLS is made by the caller's sidecar, not by the application."""
    headers: Mapping[str, tuple[str, ...]] | None = None
    """As they are sent on, where the proxy changes them."""
    proxy: str = "envoy"
    """Which HTTP proxy turns failures on the wire into an answer: envoy (503) or nginx (502, 504)."""
    waypoint: Detour | None = None
    """The call goes to a waypoint first; `backend` is the pod where the address of one was called."""


def authority_of(question: Question, what: TargetView) -> str:
    """The Host header: as given, else as a client makes it from the URL."""
    if question.host:
        return question.host
    host = f"[{what.host}]" if ":" in what.host else what.host
    default = 443 if question.protocol in ("https", "tls") else 80
    return host if what.port == default else f"{host}:{what.port}"


def refused(
    base: Sending, why: str, symptom: Symptom, decider: Mention | None = None, name: str = "service", enforcer: str = "kube-proxy"
) -> Sending:
    """The way ends here."""
    return replace(base, stations=(*base.stations, Station(name, enforcer, DENIED, why, symptom=symptom, decider=decider)))


def by_waypoint(base: Sending, found: Binding, called: Called) -> Sending | None:
    """The way by a waypoint; None where there is none, which a label that names nothing comes to as well."""
    fact = waypoints.missing_fact(found, called)
    if fact is not None:
        return replace(base, missing=fact)
    if not found.bound or found.gateway is None:
        return None
    return replace(base, transport="hbone", waypoint=Detour(found.gateway, called))


def with_token(question: Question) -> dict[str, tuple[str, ...]]:
    """The question's headers, with `--jwt` as a bearer token."""
    headers = dict(question.headers)
    if question.jwt:
        headers["authorization"] = (f"Bearer {question.jwt}",)
    return headers
