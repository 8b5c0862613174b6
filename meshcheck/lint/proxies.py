"""The proxies that apply Istio's policies: sidecars and gateways; and which of them a policy governs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.model.core import Workload
from meshcheck.model.gateway_api import Gateway
from meshcheck.model.istio_gateway import Gateway as IstioGateway
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.semantics.attachment import GATEWAY_NAME
from meshcheck.semantics.entry.gateway_api import stand_in
from meshcheck.semantics.gateway.pods import gateway_pods, is_gateway
from meshcheck.semantics.gateway_api.classes import ISTIO, controller_of
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world.sidecars import sidecar_of


def servers(evidence: Evidence) -> tuple[Workload, ...]:
    """Workloads that are there: without finished pods, and without pods of a controller that is there, too."""

    def find() -> tuple[Workload, ...]:
        known = {(w.namespace, w.kind, w.name) for w in evidence.world.workloads}

        def owned(w: Workload) -> bool:
            if w.owner is None:
                return False
            name = w.owner.name.rpartition("-")[0] if w.owner.kind in ("ReplicaSet", "") else w.owner.name  # a Deployment's with a hash
            return (w.namespace, w.owner.kind, w.owner.name) in known or (w.namespace, "Deployment", name) in known

        return tuple(w for w in evidence.world.workloads if not w.ended and not owned(w))

    return evidence.once("servers", find)


def proxies(evidence: Evidence) -> tuple[Workload, ...]:
    """Workloads of which it is known that a proxy of Istio applies policies: with a sidecar, and gateways.

    Where the pods of a gateway are not in the input (they come with an installation of Istio, or are made for a Gateway of Gateway API),
    something that has their labels stands for them.
    """

    def find() -> tuple[Workload, ...]:
        world = evidence.world
        real = [w for w in servers(evidence) if sidecar_of(world, w).present or is_gateway(w)]
        return (*real, *_elsewhere(evidence))

    return evidence.once("proxies", find)


def is_plain(evidence: Evidence, workload: Workload) -> bool:
    """Whether a workload certainly has no proxy of the mesh.

    A namespace of which no Namespace object was read may be labelled by hand: that nothing asks for a sidecar there is no proof.
    """
    world, side = evidence.world, sidecar_of(evidence.world, workload)
    if side.present is not False or side.ambient or is_gateway(workload):
        return False
    namespace = world.namespaces.get(workload.namespace)
    refuses = "false" in (workload.pod_labels.get(_INJECT), workload.pod_annotations.get(_INJECT))
    return workload.host_network or refuses or (namespace is not None and namespace.meta is not None)


_INJECT = "sidecar.istio.io/inject"


def governed(evidence: Evidence, policy: Any) -> tuple[Workload, ...]:
    """The proxies that an AuthorizationPolicy or RequestAuthentication applies to."""
    table = evidence.once("governed", lambda: _by_policy(evidence))
    return tuple(table.get(id(policy), ()))


def pods_of_gateway(evidence: Evidence, gateway: IstioGateway) -> tuple[Workload, ...]:
    """The pods of a Gateway, or what stands for them; empty where its selector is empty."""
    return gateway_pods(evidence.world, gateway) or ((_of_classic(evidence, gateway),) if gateway.selector else ())


def workload_ports(evidence: Evidence, workload: Workload) -> tuple[int, ...]:
    """TCP ports on which a workload is known to serve: targets of its Services, and ports that its containers declare."""

    def find() -> tuple[int, ...]:
        targets = (
            target_number(port, workload)
            for service in evidence.world.services_of(workload)
            for port in service.ports
            if port.protocol == "TCP"
        )
        declared = (port.number for port in workload.ports if port.protocol == "TCP")
        return tuple(dict.fromkeys(number for number in (*targets, *declared) if number is not None))

    return evidence.once(("workload ports", id(workload)), find)


def listed(items: Iterable[object], most: int = 3) -> str:
    """`shop/cart, shop/web and 3 others`."""
    names = list(dict.fromkeys(str(item) for item in items))
    rest = len(names) - most
    if rest > 1:
        return f"{', '.join(names[:most])} and {rest} others"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def _by_policy(evidence: Evidence) -> dict[int, list[Workload]]:
    world, out = evidence.world, dict[int, list[Workload]]()
    for workload in proxies(evidence):
        for policy in (*world.authorization_policies(workload), *world.request_authentications(workload)):
            out.setdefault(id(policy), []).append(workload)
    return out


def _elsewhere(evidence: Evidence) -> list[Workload]:
    world = evidence.world
    classic: Iterable[IstioGateway] = evidence.of("IstioGateway")
    out = [_of_classic(evidence, g) for g in classic if g.selector and not gateway_pods(world, g)]
    api: Iterable[Gateway] = evidence.of("Gateway")
    present = {(w.namespace, w.pod_labels.get(GATEWAY_NAME)) for w in world.workloads}
    for gateway in api:
        name = gateway.meta.name
        if controller_of(world, gateway) == ISTIO and not gateway.addresses and (gateway.meta.namespace, name) not in present:
            labels = {GATEWAY_NAME: name, **gateway.meta.labels}
            out.append(stand_in(world, gateway, labels, f"{name}-{gateway.class_name}"))
    return list(dict.fromkeys(out))


def _of_classic(evidence: Evidence, gateway: IstioGateway) -> Workload:
    """The pods of a gateway that was installed with Istio: in the root namespace, with the labels that the Gateway selects."""
    labels, root = dict(gateway.selector), evidence.world.mesh.root_namespace

    def make() -> Workload:
        name = labels.get("istio") or labels.get("app") or gateway.meta.name
        meta = Meta(ObjectRef("apps/v1", "Deployment", root, name), {}, {}, "", None)
        return Workload(meta, "Deployment", labels, {}, name, (), False, (), "", None, ("istio-proxy",))

    return evidence.once(("gateway elsewhere", tuple(sorted(labels.items()))), make)
