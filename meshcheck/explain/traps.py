"""Known mistakes: a value that looks right and cannot match. Each is a function of one failing field."""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.reason import Reason
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world import World, names


def trap(world: World, reason: Reason, server: Workload | None) -> str | None:
    """A hint about a failing field; None when it simply does not match."""
    name, wanted, actual = reason.text.removeprefix("not"), reason.wanted, reason.actual or ""
    lower = name[:1].lower() + name[1:]
    if lower == "principals" or name.startswith("source.principal"):
        return _principals(world, wanted, actual)
    if lower in ("namespaces", "serviceAccounts") or name.startswith(("source.namespace", "source.serviceAccount")):
        return _peers(world, lower, wanted, actual, reason)
    if lower == "ports" or name.startswith("destination.port"):
        return _ports(world, wanted, actual, server)
    if (lower == "ipBlocks" or name.startswith("source.ip")) and actual == "none":
        return "behind HBONE the connection is Envoy's own and has no address: `remoteIpBlocks` is compared with the client's"
    if lower == "hosts":
        return _hosts(wanted, actual)
    if lower == "paths":
        return _paths(wanted, actual)
    if lower == "methods":
        return next(
            (f"`{v}` is not `{actual}`: methods are compared with case" for v in wanted if v != actual and v.upper() == actual.upper()),
            None,
        )
    if lower == "requestPrincipals" or name.startswith("request.auth"):
        return _token(world, wanted, actual, server)
    if name.startswith("request.headers"):
        return next((f"`{v}` differs from `{actual}` only in case" for v in wanted if v != actual and v.lower() == actual.lower()), None)
    return None


def _principals(world: World, wanted: tuple[str, ...], actual: str) -> str | None:
    for value in wanted:
        if value.startswith("spiffe://"):
            return f"`{value}` must be written without `spiffe://`"
        if "*" in value[1:-1]:
            return f"`{value}`: a star in the middle is a plain character; only one at the start or the end counts"
    if actual.startswith("no identity"):
        return "the call arrives in plaintext, so it has no identity: the caller has no sidecar, or its sidecar sends plaintext"
    if (waypoint := _waypoint(world, actual)) is not None:
        return f"behind {waypoint} ztunnel sees the waypoint as the caller: rules for callers belong to a policy with targetRefs"
    domain = actual.split("/")[0]
    for value in wanted:
        if value.count("/") == 4 and value.split("/", 1)[1:] == actual.split("/", 1)[1:]:
            return f"only the trust domain differs: `{value.split('/')[0]}` and `{domain}`"
        if hint := names.hint_for_principal(world, value):
            return hint
    return None


def _waypoint(world: World, identity: str) -> str | None:
    """The waypoint that has an identity."""
    from meshcheck.semantics.ambient.waypoints import account, is_waypoint

    _, _, rest = identity.partition("/ns/")
    for gateway in world.inventory.of("Gateway"):
        if rest == f"{gateway.meta.namespace}/sa/{account(gateway)}" and is_waypoint(world, gateway):
            return f"the waypoint {gateway.meta.namespace}/{gateway.meta.name}"
    return None


def _peers(world: World, field: str, wanted: tuple[str, ...], actual: str, reason: Reason) -> str | None:
    if actual.startswith("no identity"):
        return "the call arrives in plaintext, so it has no identity: the caller has no sidecar, or its sidecar sends plaintext"
    parts = actual.split("/")
    if field == "serviceAccounts" and len(parts) == 5:
        for value in wanted:
            own = reason.object.namespace if reason.object else None
            if "/" not in value and value == parts[4] and own != parts[2]:
                meant = f"`{value}` means `{own}/{value}`: without a namespace it is of the policy's own"
                return f"{meant}; the caller is `{parts[2]}/{parts[4]}`"
    if field == "namespaces":
        return next((hint for value in wanted if (hint := names.hint_for_namespace(world, value))), None)
    return None


def _ports(world: World, wanted: tuple[str, ...], actual: str, server: Workload | None) -> str | None:
    for service in world.services_of(server) if server else ():
        for port in service.ports:
            if str(port.number) in wanted and server and str(target_number(port, server)) == actual:
                return f"{port.number} is the port of Service {service.name}; policies see the pod's port, {actual}"
    return None


def _hosts(wanted: tuple[str, ...], actual: str) -> str | None:
    bare, _, port = actual.partition(":")
    if port and any(v.lower() == bare.lower() for v in wanted):
        return f"the Host header carries the port (`{actual}`); write `{bare}:*` as well"
    short = bare.split(".")[0]
    return next(
        (f"the caller wrote `{actual}`; hosts are compared as written, not resolved" for v in wanted if v.split(".")[0] == short), None
    )


def _paths(wanted: tuple[str, ...], actual: str) -> str | None:
    for value in wanted:
        if value.rstrip("/") == actual.rstrip("/"):
            return f"`{value}` and `{actual}` differ by a trailing slash"
        if value.endswith("/*") and actual == value[:-2]:
            return f"`{value}` needs the slash: `{actual}` itself is not covered"
        if value.lower() == actual.lower():
            return f"`{value}` differs from `{actual}` only in case"
        if "*" in value[1:-1] and "{" not in value:
            return f"`{value}`: a star in the middle is a plain character; use `{{*}}` for one segment"
        if "?" in value:
            return f"`{value}`: paths are compared without the query"
    return None


def _token(world: World, wanted: tuple[str, ...], actual: str, server: Workload | None) -> str | None:
    if actual == "no verified token":
        if server is not None and not world.request_authentications(server):
            return f"no RequestAuthentication applies to {server}, so no token is ever verified here"
        return "the call carries no token that is verified here"
    for value in wanted:
        if value.endswith("*") and "://" in value and not value.endswith("/*"):
            return f"`{value}` is cut at its last slash; write `ISSUER/*`"
    return None
