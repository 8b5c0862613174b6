"""What an ingress controller other than ingress-nginx has for a call."""

from __future__ import annotations

from collections.abc import Callable

from meshcheck.model.core import Service
from meshcheck.model.ingress import Backend
from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import Station
from meshcheck.semantics.ingress.others.asked import Asked


class Found(NamedTuple):
    """One router for the host: what it leads to, and what guards it."""

    controller: str
    meta: Meta
    field: Path
    backend: Backend | None
    guards: Callable[[Asked, Service | None], list[Station]]
    unclear: str | None = None
    others: tuple[Backend, ...] = ()
    """Further Services, between which and the first one chance decides."""
    target: str | None = None
    """Path and query as they are sent on; None when they stay."""
