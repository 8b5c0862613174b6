"""Names that a policy writes and nothing has: did you mean …?"""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.semantics.world.world import World


def nearest(name: str, known: list[str]) -> str | None:
    """The known name that is most like a written one."""
    from difflib import get_close_matches

    found = get_close_matches(name, known, 1, 0.6)
    return found[0] if found and found[0] != name else None


def service_accounts(world: World) -> dict[tuple[str, str], None]:
    """(namespace, name) of all service accounts that exist or that a workload uses."""

    def find() -> dict[tuple[str, str], None]:
        out = {(a.meta.namespace, a.meta.name): None for a in world.inventory.of("ServiceAccount")}
        return out | {(w.namespace, w.service_account): None for w in world.workloads}

    return world.once("service accounts", find)


def hint_for_principal(world: World, value: str) -> str | None:
    """Why a written principal names nobody, as far as the input shows."""
    parts = value.split("/")
    if len(parts) != 5 or parts[1] != "ns" or parts[3] != "sa" or "*" in value:
        return None
    namespace, account = parts[2], parts[4]
    accounts = service_accounts(world)
    if (namespace, account) in accounts:
        return None
    if namespace not in world.namespaces:
        near = nearest(namespace, list(world.namespaces))
        return f"no namespace `{namespace}` in the input" + (f"; did you mean `{near}`?" if near else "")
    own = [name for ns, name in accounts if ns == namespace]
    near = nearest(account, own)
    return f"no service account `{account}` in namespace `{namespace}`" + (f"; did you mean `{near}`?" if near else "")


def hint_for_namespace(world: World, value: str) -> str | None:
    """Why a written namespace matches nobody."""
    if "*" in value or value in world.namespaces:
        return None
    near = nearest(value, list(world.namespaces))
    return f"no namespace `{value}` in the input" + (f"; did you mean `{near}`?" if near else "")


def nearest_service(world: World, host: str, client_namespace: str | None) -> str | None:
    """`NAME.NAMESPACE` of a Service whose name is like a host that none has, as a caller in a namespace writes it."""
    from difflib import get_close_matches

    bare = host.lower().rstrip(".").removesuffix(".svc.cluster.local").removesuffix(".svc")
    written = bare if "." in bare else f"{bare}.{client_namespace or 'default'}"
    found = get_close_matches(written, [f"{s.name}.{s.namespace}" for s in world.services], 1, 0.8)
    return found[0] if found and found[0] != written else None


def nearest_workload(world: World, namespace: str, name: str) -> str | None:
    """A workload whose name is like the one asked for: in the same namespace first, then anywhere."""
    bare = name.rpartition("/")[2]
    own = [w.name for w in world.workloads_in(namespace)]
    if near := nearest(bare, own):
        return f"{namespace}/{near}"
    elsewhere: dict[str, Workload] = {w.name: w for w in world.workloads}
    if bare in elsewhere:
        return str(elsewhere[bare])
    near = nearest(f"{namespace}/{bare}", [str(w) for w in world.workloads])
    return near
