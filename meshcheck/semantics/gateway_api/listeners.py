"""The listeners of a Gateway and of the ListenerSets that join it, and which of them cannot be used.

Sources: kubernetes-sigs/gateway-api:apis/v1/gateway_types.go, listenerset_types.go; geps/gep-1713.
"""

from __future__ import annotations

from meshcheck.model.core import Selector
from meshcheck.model.gateway_api import GROUP, Gateway, Listener, ListenerSet
from meshcheck.model.objects import Meta
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.gateway_api.grants import permitted
from meshcheck.semantics.world.world import World

ROUTE_KINDS = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute", "TCPRoute"),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}


class Member(NamedTuple):
    """A listener and the object that holds it. `refused` says why it cannot be used; `missing` which fact would decide that."""

    gateway: Gateway
    owner: Meta
    listener: Listener
    refused: str | None
    missing: str | None = None

    @property
    def name(self) -> str:
        """Tells it from all others: NAMESPACE/OBJECT/LISTENER."""
        return f"{self.owner.namespace}/{self.owner.ref.kind}.{self.owner.name}/{self.listener.name}"


def members_of(world: World, gateway: Gateway) -> tuple[Member, ...]:
    """All listeners of a Gateway: its own, then those of its ListenerSets by age."""
    return world.once(("listeners", gateway.meta.ref), lambda: _members(world, gateway))


def _members(world: World, gateway: Gateway) -> tuple[Member, ...]:
    own = [(gateway.meta, listener) for listener in gateway.listeners]
    more = [(item.meta, listener) for item in listener_sets_of(world, gateway) for listener in item.listeners]
    taken: dict[tuple[int, str], str] = {}
    hosts: set[tuple[int, str, str]] = set()
    out: list[Member] = []
    for owner, listener in (*own, *more):
        family = "UDP" if listener.protocol == "UDP" else "TCP"
        first = taken.setdefault((listener.port, family), listener.protocol)
        key = (listener.port, family, listener.hostname)
        if not _compatible(first, listener.protocol):
            refused: str | None = f"port {listener.port} is taken by a listener with protocol {first}"
        elif key in hosts:
            refused = f"another listener has port {listener.port} and hostname `{listener.hostname or '*'}` already"
        else:
            hosts.add(key)
            refused = _unusable(world, owner, listener)
        out.append(Member(gateway, owner, listener, refused, None if refused else _unknown_certificate(world, listener)))
    return tuple(out)


def _compatible(first: str, protocol: str) -> bool:
    return first == protocol or {first, protocol} == {"HTTPS", "TLS"}


def listener_sets_of(world: World, gateway: Gateway) -> list[ListenerSet]:
    """The ListenerSets that join a Gateway and that it lets in, the oldest first."""
    found = [
        item
        for item in world.inventory.of("ListenerSet")
        if item.parent == (gateway.meta.namespace, gateway.meta.name) and joins(world, gateway, item)
    ]
    return sorted(found, key=lambda item: (item.meta.created or "9999", item.meta.namespace, item.meta.name))


def joins(world: World, gateway: Gateway, item: ListenerSet) -> bool:
    """Whether a Gateway lets ListenerSets of a namespace in; by default it does not."""
    allowed, selector = gateway.listener_sets
    return namespace_allowed(world, allowed, selector, gateway.meta.namespace, item.meta.namespace)


def namespace_allowed(world: World, allowed: str, selector: Selector | None, own: str, other: str) -> bool:
    """Whether `namespaces.from` admits a namespace."""
    if allowed == "All":
        return True
    if allowed == "Same":
        return own == other
    return allowed == "Selector" and selector is not None and selector.matches(world.namespace(other).labels)


def _unusable(world: World, owner: Meta, listener: Listener) -> str | None:
    """Why a listener does not work at all."""
    if listener.protocol not in ROUTE_KINDS:
        return f"protocol {listener.protocol} is not supported"
    if listener.protocol in ("HTTPS", "TLS") and listener.tls_mode is None:
        return f"protocol {listener.protocol} without `tls`"
    if listener.kinds is not None and not kinds_of(listener):
        return f"none of its allowedRoutes.kinds fits protocol {listener.protocol}"
    if listener.tls_mode == "Terminate" and listener.protocol in ("HTTPS", "TLS"):
        return _bad_certificate(world, owner, listener)
    return None


def _bad_certificate(world: World, owner: Meta, listener: Listener) -> str | None:
    if not listener.certificates:
        return "it has no certificateRefs"
    for ref in listener.certificates:
        if (ref.group, ref.kind) != ("", "Secret"):
            return f"certificateRefs names a {ref.kind}, not a Secret"
        if not permitted(world, owner.ref.kind.removeprefix("X"), owner.namespace, ref):
            return f"no ReferenceGrant in namespace {ref.namespace} lets it use Secret {ref.namespace}/{ref.name}"
        secret = world.secret(ref.namespace, ref.name)
        if secret is None and world.complete("Secret", namespace=ref.namespace, name=ref.name):
            return f"Secret {ref.namespace}/{ref.name} does not exist"
        if secret is not None and not {"tls.crt", "tls.key"} <= set(secret.keys):
            return f"Secret {ref.namespace}/{ref.name} has no tls.crt and tls.key"
        if secret is not None and set(secret.malformed) & {"tls.crt", "tls.key"}:
            return f"the certificate in Secret {ref.namespace}/{ref.name} is no PEM text"
    return None


def _unknown_certificate(world: World, listener: Listener) -> str | None:
    for ref in listener.certificates:
        known = world.secret(ref.namespace, ref.name) is not None or world.complete("Secret", namespace=ref.namespace, name=ref.name)
        if not known:
            why = world.unread_secret(ref.namespace, ref.name)
            return f"the Secret `{ref.namespace}/{ref.name}` with the certificate of listener {listener.name}: {why}"
    return None


def kinds_of(listener: Listener) -> tuple[str, ...]:
    """The kinds of routes that may attach."""
    usual = ROUTE_KINDS.get(listener.protocol, ())
    if listener.protocol == "TLS":
        usual = ("TLSRoute",) if listener.tls_mode == "Passthrough" else ("TLSRoute", "TCPRoute")
    if listener.kinds is None:
        return usual
    return tuple(kind for group, kind in listener.kinds if group == GROUP and kind in usual)
