"""Which policies a waypoint applies to the calls of one Service, ServiceEntry or pod.

Source: istio/istio:pilot/pkg/model/policyattachment.go:ShouldAttachPolicy; authorization.go:ListAuthorizationPolicies.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from meshcheck.model.gateway_api import GROUP
from meshcheck.model.istio_networking import EXTENSIONS, INBOUND, WAYPOINT, Extension
from meshcheck.model.istio_security import Attachment, RequestAuthentication, TargetRef
from meshcheck.semantics.ambient.waypoints import Detour
from meshcheck.semantics.authorization.policies import CompiledPolicies, compile_policies
from meshcheck.semantics.world.world import World

CLASS = "istio-waypoint"


class AtWaypoint:
    """A waypoint in front of what is called: only policies with targets apply, those of the root namespace by its class."""

    def __init__(self, world: World, detour: Detour) -> None:
        self.world, self.detour = world, detour

    @property
    def name(self) -> str:
        meta = self.detour.gateway.meta
        return f"{meta.namespace}/{meta.name}"

    @property
    def key(self) -> Hashable:
        return self.detour.gateway.meta.ref, self.detour.called.ref

    def policies(self, http: bool) -> CompiledPolicies:
        world = self.world
        return world.once(
            ("compiled at waypoint", self.key, http), lambda: compile_policies(self._attached("AuthorizationPolicy"), world.mesh, http)
        )

    def authentications(self) -> tuple[RequestAuthentication, ...]:
        return self.world.once(("tokens at waypoint", self.key), lambda: self._attached("RequestAuthentication"))

    def extensions(self, port: int, http: bool) -> tuple[Extension, ...]:
        world, root = self.world, self.world.mesh.root_namespace
        every: tuple[Extension, ...] = tuple(e for kind in EXTENSIONS for e in world.inventory.of(kind))
        found = (e for e in every if e.is_for(INBOUND, port, http) or e.is_for(WAYPOINT, port, http))
        return tuple(e for e in found if attaches(e.attachment, e.meta.namespace, self.detour, root))

    def _attached(self, kind: str) -> tuple[Any, ...]:
        detour, root = self.detour, self.world.mesh.root_namespace
        namespaces = dict.fromkeys((root, detour.gateway.meta.namespace or "", detour.called.ref.namespace or ""))
        every = (policy for namespace in namespaces for policy in self.world.policies_in(kind, namespace))
        return tuple(p for p in every if attaches(p.attachment, p.meta.namespace, detour, root))


def attaches(attachment: Attachment, policy_namespace: str | None, detour: Detour, root: str) -> bool:
    """Whether a policy applies at a waypoint to what is called. Policies without targets never do."""
    return any(_means(target, policy_namespace, detour, root) for target in attachment.targets)


def _means(target: TargetRef, policy_namespace: str | None, detour: Detour, root: str) -> bool:
    what, gateway = detour.called.ref, detour.gateway.meta
    group = "" if target.group == "core" else target.group
    if target.kind in ("Service", "ServiceEntry"):
        expected = "" if target.kind == "Service" else "networking.istio.io"
        return what.kind == target.kind and group == expected and (what.namespace, what.name) == (policy_namespace, target.name)
    if group != GROUP:
        return False
    if target.kind == "GatewayClass":
        return target.name == CLASS and policy_namespace == root
    return target.kind == "Gateway" and (gateway.namespace, gateway.name) == (policy_namespace, target.name)
