"""Entry through a Gateway of Gateway API, whoever serves it."""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.gateway_api import Gateway
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.semantics.attachment import GATEWAY_NAME
from meshcheck.semantics.entry import envoy
from meshcheck.semantics.entry.config import api_config, config_of, services_of
from meshcheck.semantics.entry.passed import Entry, Passed, unknown
from meshcheck.semantics.gateway_api.classes import ISTIO, controller_of
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world.revisions import view_of
from meshcheck.semantics.world.world import World


def gateway_entries(world: World, gateway: Gateway, port: int) -> list[Entry]:
    """The ways through a Gateway: one for each kind of pods that serve it."""
    controller = controller_of(world, gateway)
    name = f"Gateway {gateway.meta.namespace}/{gateway.meta.name}"
    if controller is None:
        fact = f"who serves {name}: GatewayClass `{gateway.class_name}` is not in the input"
        return [Entry(name, lambda call: unknown((), fact))]
    if controller == ISTIO:
        return _by_istio(world, gateway, port, name)
    pod = stand_in(world, gateway, {}, f"{gateway.meta.name} ({controller})")
    pods = envoy.Pods(pod, port, None, labels_known=False)

    def enter(call: Call) -> Passed:
        return envoy.pass_through(call, pods, api_config(call.world, gateway))

    return [Entry(name, enter)]


def _by_istio(world: World, gateway: Gateway, port: int, name: str) -> list[Entry]:
    out = []
    for namespace, service_name in services_of(gateway):
        service = world.service(namespace, service_name)
        for pod in world.pods_of(service) if service is not None else ():
            assert service is not None
            number = next((target_number(p, pod) for p in service.ports if p.number == port and p.protocol == "TCP"), None)
            pods = envoy.Pods(pod, number or port, service)
            out.append(_entry(str(pod), pods))
    if out:
        return out
    if any(kind == "Hostname" for kind, _ in gateway.addresses):
        wanted = ", ".join(f"{namespace}/{service}" for namespace, service in services_of(gateway))
        fact = f"the pods of {name}: the Service {wanted} that its addresses name is not in the input, or selects no pod there"
        return [Entry(name, lambda call: unknown((), fact))]
    made = f"{gateway.meta.name}-{gateway.class_name}"
    pods = envoy.Pods(stand_in(world, gateway, {GATEWAY_NAME: gateway.meta.name, **gateway.meta.labels}, made), port, None)
    return [_entry(name, pods)]


def _entry(name: str, pods: envoy.Pods) -> Entry:
    """The way through pods of Istio's."""
    return Entry(name, lambda call: envoy.pass_through(call, pods, config_of(view_of(call.world, pods.workload), pods.workload)))


def stand_in(world: World, gateway: Gateway, labels: dict[str, str], name: str) -> Workload:
    """The pods that the controller makes for a Gateway, where the input holds none: a Deployment of a known name and account."""

    def make() -> Workload:
        meta = Meta(ObjectRef("apps/v1", "Deployment", gateway.meta.namespace, name), {}, {}, "", None)
        return Workload(meta, "Deployment", labels, {}, name, (), False, (), "", None, ("istio-proxy",))

    return world.once(("stand-in for", gateway.meta.ref), make)
