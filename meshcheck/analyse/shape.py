"""Which requests are asked about."""

from __future__ import annotations

from meshcheck.model.record import value


@value
class Shape:
    """A set of requests. An empty field leaves the attribute open: any method, any path, any header.

    `methods` and `paths` are patterns as in an AuthorizationPolicy: `GET`, `/api/*`, `*.css`, `/items/{*}`; `hosts` are Host headers.
    `headers`: (lower-case name, patterns) of headers that must be there; no pattern: any value. `protocol` as in a question: requests of
    `tcp`, `tls`, `udp` and `sctp` have neither method nor path.
    """

    methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    headers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    protocol: str = "http"
    token: bool | None = None
    """True: only requests with a (valid) token; False: only those without; None: both."""


ANY = Shape()
