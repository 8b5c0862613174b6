"""Several revisions of Istio: what each passes over; and an answer only where all give the same, if nobody knows whose a workload is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from meshcheck.model.core import Workload
from meshcheck.model.objects import Meta
from meshcheck.model.revisions import DEFAULT, LABEL
from meshcheck.model.trace import NOT_APPLICABLE, Mention, Station, Trace
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


def passed_over(world: World, seen: World, workload: Workload) -> list[Station]:
    """The policies that would apply to a workload's proxy, were they not for another revision than the one that manages it."""
    own = {meta.ref for meta in _attached(seen, workload)}
    hidden = [meta for meta in _attached(world, workload) if meta.ref not in own]
    if not hidden:
        return []
    names = "; ".join(f"{meta.ref}, which is for revision {meta.labels[LABEL]} (label {LABEL})" for meta in hidden)
    words = f"the control plane of revision {seen.revision or DEFAULT} passes over {names}"
    mentions = tuple(Mention(meta, field=("metadata", "labels", LABEL)) for meta in hidden)
    return [Station("revision", "istiod", NOT_APPLICABLE, words, mentions, workload=str(workload))]


def _attached(world: World, workload: Workload) -> list[Meta]:
    """The policies that apply to a workload's proxy."""
    return [*(p.meta for p in world.authorization_policies(workload)), *(p.meta for p in world.request_authentications(workload))]
