"""Gateway API's kinds.

Source: kubernetes-sigs/gateway-api:apis/v1/*.go. Defaults that the API server fills in are filled in here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.core import Selector
from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import record, value

GROUP = "gateway.networking.k8s.io"


@record
class GatewayClass:
    """A GatewayClass."""

    meta: Meta
    controller: str


@value
class ObjectReference:
    """A reference to another object; `namespace` is the referrer's where none is written."""

    group: str
    kind: str
    namespace: str
    name: str
    field: Path


@record
class Listener:
    """A listener of a Gateway or ListenerSet."""

    name: str
    hostname: str
    """Lower case; empty for all hosts."""
    port: int
    protocol: str
    tls_mode: str | None
    """Terminate or Passthrough; None without `tls`."""
    certificates: tuple[ObjectReference, ...]
    kinds: tuple[tuple[str, str], ...] | None
    """(group, kind) of routes that may attach; None where the protocol decides."""
    namespaces: str
    """All, Same, Selector or None: whose routes may attach."""
    selector: Selector | None
    field: Path


@record
class Gateway:
    """A Gateway, of Gateway API."""

    meta: Meta
    class_name: str
    listeners: tuple[Listener, ...]
    addresses: tuple[tuple[str, str], ...]
    """(type, value)."""
    listener_sets: tuple[str, Selector | None]
    """Namespaces whose ListenerSets may join: (None, Same, All or Selector; the selector)."""
    client_certificates: bool
    """Whether `spec.tls.frontend` asks clients for certificates on some port."""
    ready: bool | None = None
    """Whether it has been given an address, which is kept for good; None where its status was not read."""


@record
class ListenerSet:
    """A ListenerSet: more listeners for a Gateway. `parent` is (namespace, name)."""

    meta: Meta
    parent: tuple[str, str]
    listeners: tuple[Listener, ...]


@value
class ParentRef:
    """What a route wants to be attached to."""

    group: str
    kind: str
    namespace: str
    name: str
    section: str | None
    port: int | None
    field: Path


@value
class BackendRef:
    """Where a rule leads."""

    group: str
    kind: str
    namespace: str
    name: str
    port: int | None
    weight: int
    filters: tuple[Mapping[str, Any], ...]
    field: Path


@record
class RouteRule:
    """One rule of a route: raw matches and filters, in their own words."""

    name: str
    matches: tuple[Mapping[str, Any], ...]
    filters: tuple[Mapping[str, Any], ...]
    backends: tuple[BackendRef, ...]
    field: Path
    timeout: str = ""


@record
class Route:
    """An HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute (`kind`)."""

    meta: Meta
    kind: str
    parents: tuple[ParentRef, ...]
    hostnames: tuple[str, ...]
    rules: tuple[RouteRule, ...]

    @property
    def age(self) -> tuple[str, str, str]:
        """The older one wins, then the alphabet."""
        return self.meta.created or "9999", self.meta.namespace, self.meta.name


@record
class ReferenceGrant:
    """Which objects of other namespaces may refer to objects of its own.

    `sources` are (group, kind, namespace), `targets` (group, kind, name or empty).
    """

    meta: Meta
    sources: tuple[tuple[str, str, str], ...]
    targets: tuple[tuple[str, str, str], ...]


@record
class BackendTLSPolicy:
    """A BackendTLSPolicy: `targets` are (group, kind, name, section); `authorities` are references to CA certificates."""

    meta: Meta
    targets: tuple[tuple[str, str, str, str], ...]
    hostname: str
    authorities: tuple[ObjectReference, ...]
    well_known: bool
