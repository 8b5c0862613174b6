"""The versions of Istio at the workloads that a call passes, as far as the input says them."""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.trace import Trace
from meshcheck.semantics.world import World
from meshcheck.semantics.world.sidecars import sidecar_of
from meshcheck.semantics.world.versions import Versions, versions_of


def versions_on(world: World, trace: Trace) -> dict[str, Versions]:
    """Workload (`namespace/name`) → versions, in the order of the call; those of which nothing is known are left out."""
    out: dict[str, Versions] = {}
    for workload in _workloads(world, trace):
        if sidecar_of(world, workload).present is False:
            continue
        found = versions_of(world, workload)
        if found.proxies or found.control_plane is not None:
            out[str(workload)] = found
    return out


def _workloads(world: World, trace: Trace) -> list[Workload]:
    names = [name for hop in trace.hops for name in (hop.source, *(s.workload or "" for s in hop.stations), hop.target)]
    found = []
    for name in dict.fromkeys(name.partition(":")[0] for name in names if "/" in name and " " not in name):
        namespace, _, short = name.partition("/")
        workload = world.find_workload(namespace, short)
        if workload is not None and workload not in found:
            found.append(workload)
    return found
