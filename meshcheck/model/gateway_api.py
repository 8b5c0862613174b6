"""Gateway API's routes, as far as they are known yet: where they are attached."""

from __future__ import annotations

from meshcheck.model.objects import Meta
from meshcheck.model.record import record


@record
class AttachedRoute:
    """An HTTPRoute or GRPCRoute; `services` are the Services (namespace, name) whose callers it routes inside the mesh."""

    meta: Meta
    services: tuple[tuple[str, str], ...]
