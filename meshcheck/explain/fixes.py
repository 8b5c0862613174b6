"""Smallest changes that let a call through, each tried out before it is offered."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from meshcheck.decode import admission
from meshcheck.decode.metadata import decode_meta
from meshcheck.decode.registry import bucket_of, decoder_of
from meshcheck.explain.causes import failing
from meshcheck.model.inventory import Inventory
from meshcheck.model.objects import Meta, Origin, Path, dotted
from meshcheck.model.reason import Reason
from meshcheck.model.trace import ALLOWED, DENIED, Fix, Station, Trace
from meshcheck.semantics.authorization.explanation import failures
from meshcheck.semantics.tracing.trace import trace as trace_again
from meshcheck.semantics.world import World

Values = Callable[[Origin | None], Mapping[str, Any] | None]
MOST = 2
_ADDABLE = frozenset(["methods", "paths", "hosts", "ports", "principals", "namespaces", "serviceAccounts", "requestPrincipals", "values"])


def fixes_of(world: World, trace: Trace, values: Values) -> tuple[Fix, ...]:
    """Fixes of a denied call that were evaluated again and let it through; empty when none is known."""
    found = trace.decided_at
    if trace.verdict != DENIED or found is None:
        return ()
    station = found[1]
    candidates: Iterable[tuple[str, Meta, list[dict[str, Any]]]] = ()
    if station.name == "authorization" and station.policy_id == "none":
        candidates = _widened_rules(station, values)
    elif station.name == "mtls" and station.decider is not None and "plaintext" in station.summary:
        candidates = _permissive(station)
    out = []
    for description, meta, patch in candidates:
        raw = values(meta.origin)
        if raw is None:
            continue
        changed = _patched(raw, patch)
        if changed is None or any(problem.refused_by for problem in admission.problems(changed)):
            continue
        again = trace_again(_with(world, changed, meta), trace.question, explain=False)
        if again.verdict == ALLOWED:
            out.append(Fix(description, ((meta.ref, tuple(patch)),), safe=station.name != "mtls", verified=True))
        if len(out) == MOST:
            break
    return tuple(out)


def _widened_rules(station: Station, values: Values) -> Iterable[tuple[str, Meta, list[dict[str, Any]]]]:
    """For the rules that nearly match: add what the call has to each list that lacks it."""
    metas = {m.meta.ref: m.meta for m in station.policies}
    for rule in sorted(station.reasons, key=failures):
        meta = metas.get(rule.object) if rule.object else None
        missed = list(failing(rule))
        if meta is None or not missed or any(not _addable(leaf) for leaf in missed):
            continue
        raw = values(meta.origin)
        steps, words = [], []
        for leaf in missed:
            length = len(_at(raw, leaf.field) or ()) if raw is not None else 0
            value = leaf.actual or ""
            steps.append({"op": "add", "path": _pointer((*leaf.field, length)), "value": value})
            words.append(f"add `{value}` to {dotted(leaf.field)}")
        yield f"{' and '.join(words)} of {meta.ref.kind} {meta.namespace}/{meta.name}", meta, steps


def _addable(leaf: Reason) -> bool:
    return (
        leaf.holds is False
        and bool(leaf.field)
        and leaf.field[-1] in _ADDABLE
        and bool(leaf.actual)
        and " " not in (leaf.actual or "")
        and leaf.actual not in ("none", "absent")
    )


def _permissive(station: Station) -> Iterable[tuple[str, Meta, list[dict[str, Any]]]]:
    decider = station.decider
    if decider is not None and decider.field:
        name = f"PeerAuthentication {decider.meta.namespace}/{decider.meta.name}"
        words = f"let {dotted(decider.field)} of {name} be PERMISSIVE, which also admits every other plaintext caller"
        yield words, decider.meta, [{"op": "replace", "path": _pointer(decider.field), "value": "PERMISSIVE"}]


def _pointer(path: Path) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _at(value: Any, path: Path) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _patched(value: Mapping[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The value with a JSON Patch of `add` and `replace` applied; None where it does not fit."""
    out: Any = copy.deepcopy(dict(value))
    for step in patch:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        holder: Any = out
        try:
            for part in parents:
                holder = holder[int(part)] if isinstance(holder, list) else holder[part]
            if isinstance(holder, list):
                holder.insert(int(last), step["value"])
            else:
                holder[next((key for key in holder if str(key) == last), last)] = step["value"]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return out  # type: ignore[no-any-return]


def _with(world: World, value: Mapping[str, Any], meta: Meta) -> World:
    """The World with one object replaced."""
    decoder = decoder_of(meta.ref.api_version, meta.ref.kind)
    assert decoder is not None
    decoded = decoder(value, decode_meta(value, meta.origin, meta.namespace))
    bucket = bucket_of(meta.ref.api_version, meta.ref.kind)
    objects = {**world.inventory.objects, bucket: tuple(decoded if o.meta.ref == meta.ref else o for o in world.inventory.of(bucket))}
    had = world.inventory
    inventory = Inventory(objects, had.refused, had.noted, had.not_decoded, had.coverage)
    return World(inventory, world.mesh, closed=world.closed, injected=world.injected, assumed=world.assumed)
