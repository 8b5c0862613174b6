"""Who calls: the workload, its sidecar, its identity, its address."""

from __future__ import annotations

from typing import NamedTuple

from meshcheck.model.core import Workload
from meshcheck.model.question import Caller
from meshcheck.semantics.world.sidecars import Sidecar, sidecar_of
from meshcheck.semantics.world.world import World


class CallerView(NamedTuple):
    """The caller as the World knows it. `missing` is set when it cannot be found."""

    caller: Caller
    name: str
    workload: Workload | None
    namespace: str | None
    service_account: str | None
    sidecar: Sidecar
    address: str
    missing: str | None = None

    def principal(self, trust_domain: str) -> str | None:
        """`spiffe://…` of the identity that its sidecar presents."""
        if self.namespace is None or self.service_account is None:
            return None
        return f"spiffe://{self.caller.trust_domain or trust_domain}/ns/{self.namespace}/sa/{self.service_account}"


_NO_SIDECAR = Sidecar(False, "outside the mesh")


def view(world: World, caller: Caller) -> CallerView:
    """Find the caller in the World."""
    if caller.external:
        return CallerView(caller, "outside the cluster", None, None, None, _NO_SIDECAR, caller.ip or "")
    if caller.node:
        return CallerView(caller, "node", None, None, None, Sidecar(False, "a node has no sidecar"), caller.ip or "")
    if caller.ip and not caller.namespace:
        workload = world.pod_at(caller.ip)
        if workload is None:
            return CallerView(caller, caller.ip, None, None, None, _NO_SIDECAR, caller.ip)
        return _of_workload(world, caller, workload, caller.ip)
    namespace = caller.namespace or "default"
    wanted = caller.pod or caller.workload
    if wanted:
        workload = world.find_pod(namespace, wanted) if caller.pod else world.find_workload(namespace, wanted)
        if workload is None:
            missing = f"the workload `{namespace}/{wanted}`: it is not in the input"
            return CallerView(caller, f"{namespace}/{wanted}", None, namespace, None, Sidecar(None, missing), "", missing)
        return _of_workload(world, caller, workload, workload.addresses[0] if workload.addresses else "")
    if caller.service_account:
        found = next((w for w in world.workloads_in(namespace) if w.service_account == caller.service_account), None)
        name = f"{namespace}/{found.name}" if found else f"service account {namespace}/{caller.service_account}"
        return CallerView(
            caller, name, found, namespace, caller.service_account, Sidecar(True, "a caller with that identity has a sidecar"), ""
        )
    return CallerView(
        caller,
        f"a pod of {namespace}",
        None,
        namespace,
        None,
        Sidecar(False if caller.plaintext else None, f"which workload of `{namespace}` calls"),
        "",
    )


def _of_workload(world: World, caller: Caller, workload: Workload, address: str) -> CallerView:
    return CallerView(caller, str(workload), workload, workload.namespace, workload.service_account, sidecar_of(world, workload), address)
