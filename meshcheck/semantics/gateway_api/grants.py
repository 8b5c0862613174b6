"""References into other namespaces. Source: kubernetes-sigs/gateway-api:apis/v1/referencegrant_types.go."""

from __future__ import annotations

from meshcheck.model.gateway_api import GROUP, ObjectReference, ReferenceGrant
from meshcheck.semantics.world.world import World


def permitted(world: World, source_kind: str, source_namespace: str, target: ObjectReference) -> bool:
    """Whether an object of Gateway API may refer to an object; always so inside its own namespace."""
    return target.namespace == source_namespace or granting(world, source_kind, source_namespace, target) is not None


def granting(world: World, source_kind: str, source_namespace: str, target: ObjectReference) -> ReferenceGrant | None:
    """The grant that permits a reference."""
    for grant in world.once("grants", lambda: _by_namespace(world)).get(target.namespace, ()):
        if (GROUP, source_kind, source_namespace) not in grant.sources:
            continue
        if any((group, kind) == (target.group, target.kind) and name in ("", target.name) for group, kind, name in grant.targets):
            return grant
    return None


def _by_namespace(world: World) -> dict[str, list[ReferenceGrant]]:
    out: dict[str, list[ReferenceGrant]] = {}
    for grant in world.inventory.of("ReferenceGrant"):
        out.setdefault(grant.meta.namespace, []).append(grant)
    return out
