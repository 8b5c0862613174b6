"""Objects that a cluster may hold and that could not be decoded: what they say is a missing fact, not nothing."""

from __future__ import annotations

from meshcheck.decode.registry import bucket_of
from meshcheck.model.coverage import Coverage, Gap
from meshcheck.model.inventory import Refused
from meshcheck.model.trace import Trace
from meshcheck.semantics.tracing import gaps
from meshcheck.semantics.world.reads import Looked
from meshcheck.semantics.world.world import World


def undecoded(world: World) -> tuple[Refused, ...]:
    """Objects that no cluster is known to refuse, and that are not in the World all the same."""
    return world.once("undecoded", lambda: tuple(r for r in world.inventory.refused if r.refused_by is None))


def weighed(world: World, found: Trace) -> Trace:
    """A trace in the light of those of them that are of a namespace on the way, or of no namespace."""
    root = world.mesh.root_namespace
    near = {root, found.question.caller.namespace, found.question.target.namespace, *_namespaces(found)}
    here = [r for r in undecoded(world) if r.ref.namespace is None or r.ref.namespace in near]
    lacking = tuple(_gap(r) for r in here)
    looked = [Looked(gap.heading, gap.namespace) for gap in lacking]
    return gaps.weighed(found, looked, Coverage(frozenset(gap.heading for gap in lacking), lacking), root)


def _gap(one: Refused) -> Gap:
    ref = one.ref
    reason = f"were not all decoded: {ref} is of an unexpected form"
    return Gap(ref.kind, bucket_of(ref.api_version, ref.kind), ref.namespace, reason, namespaced=ref.namespace is not None)


def _namespaces(found: Trace) -> set[str]:
    """The namespaces of the ends of all hops."""
    ends = [end for hop in found.hops for end in (hop.source, hop.target, *(s.workload or "" for s in hop.stations))]
    ends += [found.reached.namespace or ""] if found.reached is not None else []
    return {end.rpartition(" ")[2].partition("/")[0] for end in ends if end}
