"""The policies of network plugins that are evaluated, and what they are looked up in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from meshcheck.model.core import Service, Workload
from meshcheck.model.question import Question
from meshcheck.model.trace import Station
from meshcheck.semantics.network_policy.travelling import HTTP, OTHER, TLS, Request
from meshcheck.semantics.outbound.sending import Sending, with_token
from meshcheck.semantics.world.world import World

if TYPE_CHECKING:
    from meshcheck.semantics.network_policy import Endpoint, Plugin
    from meshcheck.semantics.network_policy.cilium import CiliumSet, Surroundings

CILIUM = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
CALICO = ("CalicoNetworkPolicy", "CalicoGlobalNetworkPolicy")
_BESIDE_CALICO = (
    *("CalicoTier", "CalicoNetworkSet", "CalicoGlobalNetworkSet", "CalicoHostEndpoint", "FelixConfiguration"),
    *("ServiceAccount", "Service", "Namespace"),
)
"""What Calico's policies are looked up in."""
_AS_CALICO = "Calico's policies are in the input, so NetworkPolicies are read as Calico enforces them: their blocks mean pods, too"
_CONFIG = ("kube-system", "cilium-config")
_AS_CILIUM = (
    "Cilium's policies are in the input, so NetworkPolicies are read as Cilium enforces them: their blocks mean neither pods nor nodes"
)
_DEFAULT = (
    "Cilium is taken to enforce policies by default (`enable-policy: default`): ConfigMap kube-system/cilium-config is not in the input"
)


def cilium(world: World) -> CiliumSet | None:
    """Cilium's policies; None where there are none, for then nothing says that the network plugin is Cilium."""
    found = tuple(policy for kind in CILIUM for policy in world.inventory.of(kind))
    if not found:
        return None
    from meshcheck.semantics.network_policy.cilium import CiliumSet  # few Worlds have policies of it

    return CiliumSet(found, _surroundings(world))


def _has_cilium(world: World) -> bool:
    return world.index("any policy of Cilium", lambda: any(world.inventory.of(kind) for kind in CILIUM))


def calico(world: World, endpoint: Callable[[World, Workload, str], Endpoint]) -> Plugin | None:
    """Calico, where policies of it say that it is the network plugin."""
    if not _has_calico(world):
        return None
    from meshcheck.semantics.tracing.calico import calico  # few Worlds have policies of it

    return calico(world, CALICO, endpoint)


def _has_calico(world: World) -> bool:
    return world.index("any policy of Calico", lambda: any(world.inventory.of(kind) for kind in CALICO))


def note(world: World) -> None:
    """An answer depends on what the plugins' policies are looked up in."""
    if _has_calico(world):
        for beside in _BESIDE_CALICO:
            world.note(beside)
    if _has_cilium(world):
        world.note("CiliumCIDRGroup")
        if world.index("Services in policies of Cilium", lambda: _names_services(world)):
            world.note("Service")


def _names_services(world: World) -> bool:
    policies = (policy for kind in CILIUM for policy in world.inventory.of(kind))
    rules = (rule for policy in policies for spec in policy.specs for rule in spec.egress)
    return any(str(peer.field[-2]) == "toServices" for rule in rules for peer in rule.peers or ())


def _surroundings(world: World) -> Surroundings:
    from meshcheck.semantics.network_policy.cilium import Surroundings

    servers = world.service("default", "kubernetes")
    addresses = _addresses(world, servers) if servers is not None else ()
    return Surroundings(
        services=world.inventory.of("Service"),
        addresses_of=lambda service: _addresses(world, service),
        groups=world.inventory.of("CiliumCIDRGroup"),
        api_servers=frozenset(addresses) if addresses else None,
        complete=world.complete,
        mode=_mode(world),
    )


def _mode(world: World) -> str:
    config = world.config_map(*_CONFIG)
    mode = config[1].get("enable-policy") if config is not None else ""
    return mode if isinstance(mode, str) else "default"


def _addresses(world: World, service: Service) -> tuple[str, ...]:
    return tuple(address for item in world.endpoints_of(service) for address in item.addresses)


def request_of(question: Question, sending: Sending) -> Request:
    """What travels over the connection of one way of a call."""
    if sending.transport != "plaintext" or question.protocol in ("https", "tls"):
        return Request(TLS)
    if not question.is_http:
        return Request(OTHER)
    headers = sending.headers if sending.headers is not None else with_token(question)
    return Request(HTTP, sending.method, sending.path, sending.authority, headers)


def notes(world: World, stations: Sequence[Station]) -> tuple[str, ...]:
    """What is taken for granted where policies of a plugin are in the input."""
    refs = [m.meta.ref for station in stations if station.name in ("network-policy", "dns") for m in station.policies]
    mentioned = {ref.kind for ref in refs if ref.kind != "NetworkPolicy" or ref.api_version.startswith("networking.k8s.io")}
    if not mentioned or not _has_cilium(world):
        return (_AS_CALICO,) if "NetworkPolicy" in mentioned and _has_calico(world) else ()
    found = (_AS_CILIUM,) if "NetworkPolicy" in mentioned else ()
    mode = world.index("mode of Cilium", lambda: _mode(world))
    return found if mode or mentioned.isdisjoint(CILIUM) else (*found, _DEFAULT)


def examples(world: World, workload: Workload) -> Iterator[tuple[str, str, str]]:
    """(method, path, label) of requests that HTTP rules of Cilium name for a workload; rules that are no plain texts are left out."""
    if not _has_cilium(world):
        return
    from meshcheck.semantics.network_policy.cilium.requests import example

    for kind in CILIUM:
        for policy in world.inventory.of(kind):
            if policy.meta.ref.namespace in (None, workload.namespace):
                entries = (entry for spec in policy.specs for rule in spec.ingress for entry in rule.ports or ())
                for rule in (rule for entry in entries for rule in entry.http):
                    found = example(rule)
                    if found is not None:
                        yield *found, " ".join(filter(None, (rule.method, rule.path)))
