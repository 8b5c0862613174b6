"""What a proxy knows of one call when it applies AuthorizationPolicies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Attributes:
    """Attributes of one call at one proxy. Mutable while a trace is under way, never shared.

    `unknown` names attributes that the question and the manifests do not give: tests on them are undecided.
    """

    __slots__ = (
        "authority", "destination_ip", "destination_port", "headers", "http", "method", "path", "payload",
        "principal", "query", "remote_ip", "sni", "source_ip", "unknown",
    )  # fmt: skip

    def __init__(self) -> None:
        self.http = True
        self.method = "GET"
        self.path = "/"
        """Normalised, without query."""
        self.query = ""
        self.authority = ""
        self.headers: Mapping[str, Sequence[str]] = {}
        """Lower-case names."""
        self.principal: str | None = None
        """`spiffe://…` of the verified peer certificate; None for plaintext."""
        self.payload: Mapping[str, Any] | None = None
        """Claims of the verified token."""
        self.source_ip = ""
        self.remote_ip = ""
        self.destination_ip = ""
        self.destination_port = 0
        self.sni = ""
        self.unknown: frozenset[str] = frozenset()
