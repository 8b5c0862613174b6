"""Who calls: the workload, its sidecar, its identity, its address."""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.model.question import Caller
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.world.sidecars import Sidecar, is_ambient, sidecar_of
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
    labels_known: bool = True
    """Whether the labels of its pods are known: network policies look at them."""

    def principal(self, trust_domain: str) -> str | None:
        """`spiffe://…` of the identity that its sidecar presents."""
        if self.namespace is None or self.service_account is None:
            return None
        return f"spiffe://{self.caller.trust_domain or trust_domain}/ns/{self.namespace}/sa/{self.service_account}"


_NO_SIDECAR = Sidecar(False, "outside the mesh")


def views(world: World, caller: Caller) -> list[CallerView]:
    """Whom a question may mean: one caller, or each workload with the service account that it names."""
    if not caller.service_account or caller.workload or caller.pod:
        return [view(world, caller)]
    namespace, account = caller.namespace or "default", caller.service_account
    why = Sidecar(True, "a caller with that identity has a sidecar")
    alike = {
        tuple(sorted(w.pod_labels.items())): w for w in world.workloads_in(namespace) if w.service_account == account and not w.host_network
    }
    if not alike:
        pod = _stand_in(world, namespace, account)
        side = sidecar_of(world, pod)
        name = f"service account {namespace}/{account}"
        return [CallerView(caller, name, pod, namespace, account, side if side.ambient else why, "", None, False)]
    sides = [(w, sidecar_of(world, w)) for w in alike.values()]
    return [CallerView(caller, str(w), w, namespace, account, side if side.ambient else why, "") for w, side in sides]


def _stand_in(world: World, namespace: str, account: str) -> Workload:
    """A pod of which only the service account is known."""
    meta = Meta(ObjectRef("v1", "Pod", namespace, f"sa/{account}"), {}, {}, "", None)
    ambient = is_ambient({}, world.namespace_as_known(namespace).labels) and not _is_gateways(world, namespace, account)
    containers = () if ambient else ("istio-proxy",)
    pod = Workload(meta, "Pod", {}, {}, account, (), False, (), "", None, containers)
    return world.once(("stand-in", namespace, account), lambda: pod)


def _is_gateways(world: World, namespace: str, account: str) -> bool:
    """Whether istiod gives an account to the pods that it makes for a Gateway: ztunnel does not capture these."""
    made = (g for g in world.inventory.of("Gateway") if g.meta.namespace == namespace)
    return any(account in (g.meta.name, f"{g.meta.name}-{g.class_name}") for g in made)


def view(world: World, caller: Caller) -> CallerView:
    """Find the caller in the World; `missing` says which fact about it the question leaves open."""
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
    lacks = None
    if caller.mtls:
        lacks = f"the identity of the caller: say which service account of `{namespace}` it has"
    elif not caller.plaintext:
        lacks = f"which workload of `{namespace}` calls, and whether it has a sidecar"
    return CallerView(caller, f"a pod of {namespace}", None, namespace, None, Sidecar(False, "the call arrives in plaintext"), "", lacks)


def _of_workload(world: World, caller: Caller, workload: Workload, address: str) -> CallerView:
    return CallerView(caller, str(workload), workload, workload.namespace, workload.service_account, sidecar_of(world, workload), address)
