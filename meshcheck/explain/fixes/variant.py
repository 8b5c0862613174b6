"""The World with some objects changed: one object is decoded again, nothing is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.decode.collect import collect
from meshcheck.decode.registry import bucket_of
from meshcheck.explain.fixes.case import Candidate, Values
from meshcheck.model.inventory import Inventory
from meshcheck.model.json_patch import PatchError, applied
from meshcheck.model.objects import Meta, ObjectRef, Origin
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.world import World


class _Document(NamedTuple):
    value: dict[str, Any]
    origin: Origin
    accepted: bool = False


_NOWHERE = Origin("", 0)


class Variant(NamedTuple):
    """A changed World, and its objects as they would be written."""

    world: World
    changed: Mapping[ObjectRef, Mapping[str, Any]]
    values: Values


def variant(world: World, candidate: Candidate, values: Values) -> Variant | None:
    """The World with a candidate's changes; None where they do not fit, or where a cluster would refuse the changed object."""
    buckets: dict[str, tuple[Any, ...]] = {}
    by_origin: dict[Origin | None, Mapping[str, Any]] = {}
    changed: dict[ObjectRef, Mapping[str, Any]] = {}
    for meta, steps in candidate.patches:
        raw = by_origin.get(meta.origin) or (values(meta.origin) if meta.origin is not None else {})
        if raw is None:
            return None
        try:
            new = applied(dict(raw), steps)
        except PatchError:
            return None
        found = collect([_Document(new, meta.origin or _NOWHERE)], meta.namespace or "default")
        if found.refused and (
            not raw or _refusals(found) - _refusals(collect([_Document(dict(raw), _NOWHERE)], meta.namespace or "default"))
        ):
            return None  # what a cluster had refused before is not the change's fault
        bucket = bucket_of(meta.ref.api_version, meta.ref.kind)
        decoded = found.of(bucket)
        if not decoded:
            return None
        before = buckets.get(bucket) or world.inventory.of(bucket)
        there = any(_meta(o).ref == meta.ref for o in before)
        buckets[bucket] = tuple(decoded[0] if _meta(o).ref == meta.ref else o for o in before) if there else (*before, decoded[0])
        changed[meta.ref] = new
        if meta.origin is not None:
            by_origin[meta.origin] = new
    return Variant(world.with_objects(buckets), changed, lambda origin: by_origin.get(origin) or values(origin))


def _refusals(found: Inventory) -> set[tuple[object, str]]:
    return {(refused.path, refused.message) for refused in found.refused}


def _meta(item: Any) -> Meta:
    """The metadata of a decoded object; ConfigMaps are pairs of it and their files."""
    found: Meta = item[0] if isinstance(item, tuple) else item.meta
    return found
