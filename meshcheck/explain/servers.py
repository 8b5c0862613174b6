"""Which workload a station stands at."""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.trace import Station
from meshcheck.semantics.world import World


def server_of(world: World, station: Station) -> Workload | None:
    """The workload at which a station stands."""
    if station.workload is None or "/" not in station.workload:
        return None
    namespace, _, name = station.workload.partition("/")
    return world.find_workload(namespace, name)
