"""A question: who calls what, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.record import record


@record
class Caller:
    """Who calls. Exactly one of the forms of the contract; the flags say how the call arrives."""

    namespace: str | None = None
    workload: str | None = None
    pod: str | None = None
    service_account: str | None = None
    ip: str | None = None
    node: bool = False
    external: bool = False
    plaintext: bool = False
    mtls: bool = False
    trust_domain: str | None = None


@record
class Target:
    """What is called: a URL's host, or a workload's port, or an address."""

    host: str | None = None
    """Host of a URL, as it was written."""
    namespace: str | None = None
    workload: str | None = None
    pod: str | None = None
    service: str | None = None
    ip: str | None = None
    port: int | None = None
    via: Mapping[str, Any] | None = None


@record
class Question:
    """One call, with defaults filled in. Headers have lower-case names."""

    caller: Caller
    target: Target
    protocol: str = "http"
    """http, https, grpc, tls, tcp, udp or sctp."""
    method: str = "GET"
    path: str = "/"
    """Path and query as sent."""
    host: str | None = None
    """Host header; the target's host when absent."""
    headers: Mapping[str, tuple[str, ...]] = None  # type: ignore[assignment]
    claims: Mapping[str, Any] | None = None
    jwt: str | None = None
    source_ip: str | None = None
    origin: str | None = None
    sni: str | None = None
    network_policy_only: bool = False

    @property
    def is_http(self) -> bool:
        """Whether the caller speaks HTTP that proxies can read."""
        return self.protocol in ("http", "grpc")

    @property
    def is_grpc(self) -> bool:
        """Whether refusals come as gRPC statuses."""
        content = self.headers.get("content-type", ("",)) if self.is_http else ("",)
        return self.protocol == "grpc" or content[0].startswith("application/grpc")

    @property
    def transport(self) -> str:
        """TCP, UDP or SCTP: what network policies see."""
        return self.protocol.upper() if self.protocol in ("udp", "sctp") else "TCP"
