"""A proxy on the server's side, by what is attached to it: a sidecar, a gateway, a waypoint in front of one Service."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

from meshcheck.model.core import Workload
from meshcheck.model.istio_networking import GATEWAY, INBOUND, Extension
from meshcheck.model.istio_security import RequestAuthentication
from meshcheck.semantics.authorization.ages import age_of
from meshcheck.semantics.authorization.policies import CompiledPolicies, compile_policies
from meshcheck.semantics.world.revisions import view_of
from meshcheck.semantics.world.versions import versions_of
from meshcheck.semantics.world.world import World


class Proxy(Protocol):
    """What the filters ask of their proxy. Nothing is looked at before it is asked for: an answer depends on what was."""

    @property
    def name(self) -> str:
        """`namespace/name`, as the trace shows it."""

    @property
    def key(self) -> Hashable:
        """Tells it from all others of its World."""

    def policies(self, http: bool) -> CompiledPolicies:
        """AuthorizationPolicies, compiled for its HTTP or TCP chains."""

    def authentications(self) -> tuple[RequestAuthentication, ...]:
        """RequestAuthentications."""

    def extensions(self, port: int, http: bool) -> tuple[Extension, ...]:
        """What may put anything into its chain for a port."""


class OfWorkload:
    """The sidecar in a workload's pods, or the `gateway` that these are."""

    def __init__(self, world: World, workload: Workload, gateway: bool = False) -> None:
        self.world, self.workload, self.gateway = world, workload, gateway

    @property
    def name(self) -> str:
        return str(self.workload)

    @property
    def key(self) -> Hashable:
        return id(self.workload)

    def policies(self, http: bool) -> CompiledPolicies:
        return compiled(self.world, self.workload, http)

    def authentications(self) -> tuple[RequestAuthentication, ...]:
        return self.world.request_authentications(self.workload)

    def extensions(self, port: int, http: bool) -> tuple[Extension, ...]:
        listener, at = (GATEWAY, None) if self.gateway else (INBOUND, port)
        return tuple(e for e in self.world.extensions(self.workload) if e.is_for(listener, at, http))


def compiled(world: World, workload: Workload, http: bool) -> CompiledPolicies:
    """The policies that apply to a workload, compiled for its chains."""
    seen = view_of(world, workload)

    def compile_() -> CompiledPolicies:
        return compile_policies(seen.authorization_policies(workload), seen.mesh, http, age_of(versions_of(seen, workload)))

    return seen.once(("compiled", id(workload), http), compile_)
