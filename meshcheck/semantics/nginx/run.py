"""One request on its way through the phases of nginx."""

from __future__ import annotations

import re

from meshcheck.model.nginx import Directive, Nginx, Source
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.nginx.levels import Level
from meshcheck.semantics.nginx.request import Request
from meshcheck.semantics.nginx.supposing import Supposing


class Answer(NamedTuple):
    """How nginx ends a request. `status` is None where it hands on: to a proxied server, or to a file that is there or not."""

    status: int | None
    why: str
    by: Directive | None = None
    source: Source | None = None
    """The ConfigMap at fault where that is not the one of `by`."""
    body: str | None = None
    """The text of `return`; None for nginx's own page, which `error_page` may replace."""


class Run:
    """The state of one request; sub-requests and internal redirects get copies."""

    def __init__(
        self, nginx: Nginx, request: Request, server: Level, host: str, uri: str, args: str, supposing: Supposing, trail: list[Directive]
    ) -> None:
        self.nginx, self.request, self.server, self.host, self.supposing = nginx, request, server, host, supposing
        self.uri, self.args, self.trail = uri, args, trail
        self.method = request.method
        self.request_method = request.method
        """What `$request_method` says: in a sub-request that of the call."""
        self.variables: dict[str, str] = {}
        self.captures: dict[str, str] = {}
        self.internal = False
        self.sub_request = False
        self.error_page = False
        """An error page is being made: another error gets none."""
        self.redirects = 10
        """How often the URI may still change."""
        self.location: Directive | None = None

    def captured(self, match: re.Match[str]) -> None:
        """Remember what the groups of a regular expression matched."""
        numbered = {str(n): text or "" for n, text in enumerate((match[0], *match.groups()))}
        self.captures = {**numbered, **{name: text or "" for name, text in match.groupdict().items()}}

    def again(self, uri: str, args: str = "", *, sub_request: bool = False, error_page: bool = False) -> Run:
        """An internal redirect, or a sub-request."""
        new = Run(self.nginx, self.request, self.server, self.host, uri, args, self.supposing, self.trail)
        new.method = "HEAD" if self.method == "HEAD" else "GET" if error_page or sub_request else self.method
        new.request_method = new.method if error_page else self.request_method
        new.variables = self.variables if not sub_request else dict(self.variables)
        new.internal, new.sub_request = True, sub_request or self.sub_request
        new.error_page = error_page or (self.error_page and not sub_request)
        new.redirects = self.redirects - 1
        return new
