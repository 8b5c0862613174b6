"""Calico's policies of a World, and what they are looked up in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from meshcheck.model.core import ServiceAccount, Workload
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.network_policy import Endpoint
from meshcheck.semantics.network_policy.calico import Calico, CalicoSet, Surroundings
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world.world import World

_LAYER_7 = "dikastes"
_DENY_ACTIONS = ("iptablesFilterDenyAction", "nftablesFilterDenyAction")


def calico(world: World, kinds: Iterable[str], endpoint: Callable[[World, Workload, str], Endpoint]) -> Calico:
    """Calico as it enforces policies of some kinds."""
    of = world.inventory.of
    return Calico(CalicoSet([policy for kind in kinds for policy in of(kind)], of("CalicoTier"), _surroundings(world, endpoint)))


def _surroundings(world: World, endpoint: Callable[[World, Workload, str], Endpoint]) -> Surroundings:
    of = world.inventory.of
    sets = ("CalicoNetworkSet", "CalicoGlobalNetworkSet")
    accounts: Mapping[tuple[str, str], ServiceAccount] = {(a.meta.namespace, a.meta.name): a for a in of("ServiceAccount")}

    def namespace_labels(name: str) -> Mapping[str, str] | None:
        found = world.namespace_as_known(name)
        return found.labels if found.meta is not None or world.complete("Namespace", namespace=name) else None

    def account_labels(namespace: str, name: str) -> Mapping[str, str] | None:
        found = accounts.get((namespace, name))
        if found is not None:
            return found.meta.labels
        return {} if world.complete("ServiceAccount", namespace=namespace) else None

    def pods() -> Iterator[Endpoint]:
        return (endpoint(world, workload, workload.addresses[0] if workload.addresses else "") for workload in world.workloads)

    settings = [config.spec for config in of("FelixConfiguration")]
    return Surroundings(
        sets=tuple(one for kind in sets for one in of(kind)),
        sets_complete=world.complete(*sets),
        hosts=bool(of("CalicoHostEndpoint")),
        namespace_labels=namespace_labels,
        account_labels=account_labels,
        backs=lambda service, end, protocol, port: _backs(world, service, end, protocol, port),
        pods=pods,
        looks_at_requests=lambda workload: _LAYER_7 in workload.containers or any(one.get("policySyncPathPrefix") for one in settings),
        rejects=any(str(one.get(name)).lower() == "reject" and not one.get("bpfEnabled") for one in settings for name in _DENY_ACTIONS),
        kept={},
    )


def _backs(world: World, name: tuple[str, str], end: Endpoint, protocol: str, port: int | None) -> bool | None:
    """Whether an end is an endpoint of a Service. Endpoints that are not ready count, too.

    Source: projectcalico/calico:felix/serviceindex/serviceindex.go.
    """
    service = world.service(*name)
    if service is None:
        return False if world.complete("Service", namespace=name[0]) else None
    workload = end.workload
    if workload is not None and workload.namespace == service.namespace and selects(service.selector, workload.pod_labels):
        numbers = [(target_number(one, workload), one.protocol) for one in service.ports]
        return port is None or (port, protocol) in numbers
    by_hand = world.endpoints_of(service)
    for item in by_hand:
        at_port = port is None or any((one.number, one.protocol) == (port, protocol) for one in item.ports)
        if at_port and end.address and end.address in item.addresses:
            return True
    if service.selector is None and not service.external_name and not by_hand:
        return False if world.complete("Endpoints", namespace=service.namespace) else None
    return None if workload is None and end.maybe_pod else False
