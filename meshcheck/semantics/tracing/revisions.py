"""Calls of workloads of which it is not known which revision of Istio manages them: an answer only where all revisions give the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from meshcheck.model.trace import Trace
from meshcheck.semantics.world.revisions import candidates, managed
from meshcheck.semantics.world.world import World


def settled(world: World, found: Trace, again: Callable[[World], Trace], merge: Callable[[list[Trace], str], Trace]) -> Trace:
    """A trace, weighed against those under the other revisions that may be. `again` traces the call in another World."""
    unsure = next(_open(world, found), None)
    if unsure is None:
        return found
    every = candidates(world)
    fact = f"which revision of Istio ({', '.join(every)}) manages {unsure}: no running pod and no webhook says so"
    return merge([again(world.supposing({unsure: revision})) for revision in every], fact)


def _open(world: World, found: Trace) -> Iterator[str]:
    """The sorts of workloads on the way whose revision is neither known nor supposed."""
    names = dict.fromkeys(
        name for hop in found.hops for name in (hop.source, hop.target, *(s.workload or "" for s in hop.stations)) if "/" in name
    )
    for name in names:
        namespace, _, short = name.partition("/")
        workload = world.find_workload(namespace, short.partition(":")[0])
        open_ = managed(world, workload).open if workload is not None else ""
        if open_ and open_ not in world.supposed:
            yield open_
