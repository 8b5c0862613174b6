"""What is called: the workloads behind a name, an address or a port."""

from __future__ import annotations

from meshcheck.model.core import Service, ServicePort, Workload
from meshcheck.model.question import Question
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world.hosts import Named, look_up
from meshcheck.semantics.world.world import World


class Backend(NamedTuple):
    """One place where the call may end: a workload's port, or an address outside the cluster."""

    workload: Workload | None
    address: str
    port: int
    service: Service | None
    service_port: ServicePort | None


class TargetView(NamedTuple):
    """The target as the World knows it. Without backends `missing` or `refused` says why."""

    name: str
    host: str
    """The name or address that the caller uses."""
    port: int
    """The port that the caller uses."""
    named: Named | None
    backends: tuple[Backend, ...]
    direct: bool
    """The call goes straight to a pod, not through a Service."""
    missing: str | None = None
    refused: str | None = None
    """Why the connection is refused: no such port, no endpoints."""


DEFAULT_PORTS = {"http": 80, "https": 443, "grpc": 80, "tls": 443, "tcp": 0, "udp": 53, "sctp": 0}


def view(world: World, question: Question, client_namespace: str | None) -> TargetView:
    """Find the target in the World."""
    target = question.target
    port = target.port or DEFAULT_PORTS.get(question.protocol, 80)
    if target.host is not None:
        return _by_host(world, target.host, port, client_namespace, question.transport)
    if target.service and target.namespace:
        return _by_host(world, f"{target.service}.{target.namespace}", port, client_namespace, question.transport)
    wanted = target.pod or target.workload
    if wanted and target.namespace:
        workload = world.find_pod(target.namespace, wanted) if target.pod else world.find_workload(target.namespace, wanted)
        name = f"{target.namespace}/{wanted}"
        if workload is None:
            return TargetView(name, name, port, None, (), True, f"the workload `{name}`: it is not in the input")
        address = target.ip or (workload.addresses[0] if workload.addresses else "")
        return TargetView(f"{workload}:{port}", address, port, None, (Backend(workload, address, port, None, None),), True)
    if target.ip:
        return _by_host(world, target.ip, port, client_namespace, question.transport)
    return TargetView("nothing", "", port, None, (), True, "what is called: the question names no target")


def _by_host(world: World, host: str, port: int, client_namespace: str | None, protocol: str) -> TargetView:
    named = look_up(world, host, client_namespace)
    name = f"{host}:{port}"
    if named.workload is not None:
        return TargetView(f"{named.workload}:{port}", host, port, named, (Backend(named.workload, host, port, None, None),), True)
    if named.service is None:
        backends = () if named.missing else (Backend(None, named.address or "", port, None, None),)
        return TargetView(name, host, port, named, backends, False, named.missing)
    return of_service(world, named.service, port, host, protocol)


def of_service(world: World, service: Service, port: int, typed: str | None = None, protocol: str = "TCP") -> TargetView:
    """The workloads behind a Service port. `typed` is the name as the caller wrote it: policies see that one."""
    return world.once(("behind", service.meta.ref, port, typed, protocol), lambda: _of_service(world, service, port, typed, protocol))


def _of_service(world: World, service: Service, port: int, typed: str | None, protocol: str) -> TargetView:
    name = f"{service.namespace}/{service.name}"
    found = next((p for p in service.ports if p.number == port and p.protocol == protocol), None)
    view = TargetView(f"{name}:{port}", typed or service.host, port, Named(service.host, service), (), False)
    if service.external_name:
        return view._replace(backends=(Backend(None, service.external_name, port, service, found),))
    if found is None and not service.headless:
        ports = ", ".join(f"{p.number}" if p.protocol == "TCP" else f"{p.number}/{p.protocol}" for p in service.ports) or "none"
        return view._replace(refused=f"Service {name} has no {'' if protocol == 'TCP' else protocol + ' '}port {port} (its ports: {ports})")
    if service.selector is None:
        return _by_hand(world, service, view, found)
    pods = world.pods_of(service)
    if not pods:
        if world.lost_pods_of(service):
            return view._replace(refused=f"no pod that Service {name} selects ({_labels(service)}) is ready")
        words = f"Service {name} selects {_labels(service)}, and nothing"
        return (
            view._replace(refused=f"{words} has these labels")
            if world.complete("Workload", namespace=service.namespace)
            else view._replace(missing=f"{words} in the input has these labels")
        )
    out = []
    for pod in pods:
        number = port if service.headless or found is None else target_number(found, pod)
        if number is not None:
            out.append(Backend(pod, pod.addresses[0] if pod.addresses else "", number, service, found))
    if not out and found is not None:
        return view._replace(refused=f"no pod of Service {name} has a port named `{found.target}`")
    return view._replace(backends=tuple(out))


def _by_hand(world: World, service: Service, view: TargetView, found: ServicePort | None) -> TargetView:
    """A Service without a selector: what its EndpointSlices say."""
    slices = world.endpoints_of(service)
    if not slices:
        words = f"Service {service.namespace}/{service.name} has no selector, and no EndpointSlice is in the input"
        if world.complete("Endpoints", namespace=service.namespace):
            return view._replace(refused=words)
        return view._replace(missing=f"the endpoints: {words}")
    backends = []
    for item in slices:
        at = next((p.number for p in item.ports if found is None or not found.name or p.name == found.name), view.port)
        backends += [Backend(world.pod_at(a), a, at, service, found) for a in item.addresses]
    return view._replace(backends=tuple(backends))


def _labels(service: Service) -> str:
    return ", ".join(f"{key}={value}" for key, value in (service.selector or {}).items())
