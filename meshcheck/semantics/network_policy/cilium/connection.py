"""A connection as one side of it sees it."""

from __future__ import annotations

from meshcheck.model.record import NamedTuple
from meshcheck.semantics.network_policy.peers import Endpoint
from meshcheck.semantics.network_policy.travelling import Request


class Connection(NamedTuple):
    """A connection as one side sees it, and what travels over it (None: nobody asks about that)."""

    direction: str
    subject: Endpoint
    peer: Endpoint
    target: Endpoint
    protocol: str
    port: int
    request: Request | None
    explain: bool
