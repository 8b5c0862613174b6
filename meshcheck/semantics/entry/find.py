"""Which entry points a call may take: the one that the question names, or those that serve the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshcheck.model.core import Service, Workload
from meshcheck.model.trace import DENIED, Mention, Station
from meshcheck.semantics.entry import istio
from meshcheck.semantics.entry.config import config_of
from meshcheck.semantics.entry.gateway_api import gateway_entries
from meshcheck.semantics.entry.passed import Entry, Passed, unknown
from meshcheck.semantics.gateway.pods import gateway_pods, is_gateway
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world.world import World


def entries(call: Call) -> list[Entry] | None:
    """The entry points of a call; None when it goes straight to its target."""
    via = call.question.target.via
    if via is not None:
        return _named(call, via)
    return None


def _named(call: Call, via: Any) -> list[Entry]:
    """The entry point that the question names: a Gateway, a Service, or a workload."""
    world = call.world
    namespace, name, port = via.get("namespace") or "default", via.get("name") or "", via.get("port") or call.what.port
    for gateway in world.inventory.of("IstioGateway"):
        if (gateway.meta.namespace, gateway.meta.name) == (namespace, name):
            return [_of_pods(world, pod, port) for pod in gateway_pods(world, gateway)] or [
                _lost(f"Gateway {namespace}/{name}", f"the pods of Gateway {namespace}/{name} ({_labels(gateway.selector)})")
            ]
    for gateway in world.inventory.of("Gateway"):
        if (gateway.meta.namespace, gateway.meta.name) == (namespace, name):
            return gateway_entries(world, gateway, port)
    service = world.service(namespace, name)
    if service is not None:
        return _of_service(world, service, port)
    workload = world.find_workload(namespace, name)
    if workload is not None:
        return [_classic(workload, port, None)]
    return [_lost(f"{namespace}/{name}", f"the gateway `{namespace}/{name}`: neither a Gateway, a Service nor a workload of that name")]


def _of_service(world: World, service: Service, port: int) -> list[Entry]:
    name = f"Service {service.namespace}/{service.name}"
    pods = world.pods_of(service)
    if not pods:
        return [_lost(name, f"the pods of {name}: none in the input has its labels ({_labels(service.selector)})")]
    found = next((p for p in service.ports if p.number == port and p.protocol == "TCP"), None)
    if found is None:
        return [_closed(service, port)]
    return [_classic(pod, target_number(found, pod) or port, service) for pod in pods]


def _of_pods(world: World, pod: Workload, port: int) -> Entry:
    """A gateway's pod, called on a port of its Service where it has one."""
    for service in world.services_of(pod):
        found = next((p for p in service.ports if p.number == port and p.protocol == "TCP"), None)
        if found is not None:
            return _classic(pod, target_number(found, pod) or port, service)
    return _classic(pod, port, None)


def _classic(pod: Workload, port: int, service: Service | None) -> Entry:
    if not is_gateway(pod):
        return _lost(
            str(pod), f"what {pod} makes of the call: it is not a gateway of Istio, nor an ingress controller that meshcheck knows"
        )
    return Entry(f"{pod}", lambda call: istio.pass_through(call, istio.Pods(pod, port, service), config_of(call.world, pod)))


def _closed(service: Service, port: int) -> Entry:
    ports = ", ".join(str(p.number) for p in service.ports)
    why = f"Service {service.namespace}/{service.name} has no port {port} (its ports: {ports})"
    mention = Mention(service.meta, field=("spec", "ports"))
    station = Station("service", "kube-proxy", DENIED, why, (mention,), symptom=symptoms.REFUSED, decider=mention)
    return Entry(str(service.meta.ref), lambda call: Passed((station,), DENIED, symptoms.REFUSED))


def _lost(name: str, fact: str) -> Entry:
    enter: Callable[[Call], Any] = lambda call: unknown((), fact)  # noqa: E731
    return Entry(name, enter)


def _labels(labels: Any) -> str:
    return ", ".join(f"{key}={value}" for key, value in (labels or {}).items())
