"""Which of Envoy Gateway's policies count for a route on a listener.

Source: envoyproxy/gateway:internal/gatewayapi/securitypolicy.go (processing by specificity), policy merge in internal/utils.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.envoy_gateway import EnvoyPolicy
from meshcheck.model.objects import Meta
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.world.world import World


class Place(NamedTuple):
    """Where a request is: the listener and its owner, the Gateway, and the rule of a route."""

    gateway: Meta
    owner: Meta
    """The Gateway or ListenerSet that holds the listener."""
    listener: str
    route: Meta
    rule: str
    """Name of the rule; may be empty."""


class Effective(NamedTuple):
    """What counts: the settings, and the policies that they come from, the most specific first."""

    spec: Mapping[str, Any]
    policies: tuple[EnvoyPolicy, ...]


def effective(world: World, kind: str, place: Place) -> Effective | None:
    """The most specific policy; one with `mergeType` is laid over the next."""
    found: list[EnvoyPolicy] = []
    for target_kind, meta, section in _levels(place):
        level = [p for p in world.inventory.of(kind) if _targets(p, target_kind, meta, section)]
        if level:
            found.append(min(level, key=lambda p: p.age))
            if not found[-1].merges:
                break
    if not found:
        return None
    spec: Mapping[str, Any] = {}
    for policy in reversed(found):
        spec = _laid_over(spec, policy.spec)
    return Effective(spec, tuple(found))


def _levels(place: Place) -> list[tuple[str, Meta, str]]:
    """(kind, object, section) from the most specific to the most general."""
    route, owner = place.route, place.owner
    out = [(route.ref.kind, route, place.rule)] if place.rule else []
    out.append((route.ref.kind, route, ""))
    if owner.ref.kind != "Gateway":
        out += [("ListenerSet", owner, place.listener), ("ListenerSet", owner, "")]
    else:
        out.append(("Gateway", place.gateway, place.listener))
    return [*out, ("Gateway", place.gateway, "")]


def _targets(policy: EnvoyPolicy, kind: str, meta: Meta, section: str) -> bool:
    if policy.meta.namespace == meta.namespace and any((t.kind, t.name, t.section) == (kind, meta.name, section) for t in policy.targets):
        return True
    return not section and any(
        s.kind == kind and s.labels.matches(meta.labels) and (s.namespaces == "All" or policy.meta.namespace == meta.namespace)
        for s in policy.selectors
    )


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> Mapping[str, Any]:
    out = dict(below)
    for key, value in above.items():
        before = out.get(key)
        out[key] = _laid_over(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return out
