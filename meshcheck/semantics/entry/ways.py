"""Every way from outside to a workload: the hosts and routes of gateways, and Services with addresses outside."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.model.core import Service, Workload
from meshcheck.model.gateway_api import GROUP, Gateway
from meshcheck.model.istio_gateway import Gateway as IstioGateway
from meshcheck.model.istio_networking import HttpMatch
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.model.question import Caller, Question, Target
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.entry.config import Config, api_config, config_of
from meshcheck.semantics.entry.gateway_api import gateway_entries, stand_in
from meshcheck.semantics.gateway.pods import gateway_pods, is_gateway
from meshcheck.semantics.gateway.servers import Bound
from meshcheck.semantics.gateway.virtual_hosts import table
from meshcheck.semantics.gateway.virtual_services import by_gateway
from meshcheck.semantics.gateway_api.classes import ISTIO
from meshcheck.semantics.gateway_api.classes import controller_of as controller_of_gateway
from meshcheck.semantics.ingress.controller import is_ingress_nginx
from meshcheck.semantics.ingress.others.controllers import controller_of
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world.world import World


class Way(NamedTuple):
    """One way in. `question` is a call that takes it, without any credentials; None where no path can be made up for it."""

    entry: str
    address: str
    """`http://HOST:PORT`."""
    path: str
    """In words: `/api/*`, `= /healthz`, `~ /v[0-9]+`, `*`; with the method and headers where the route wants them."""
    owner: Meta
    question: Question | None


def ways_in(world: World) -> Iterator[Way]:
    """All ways from outside, gateway by gateway."""
    seen: set[tuple[object, str, str]] = set()
    for pod in world.workloads:
        if is_gateway(pod):
            for service in world.services_of(pod):
                yield from _unseen(_through_pods(world, pod, service), seen)
    for classic in world.inventory.of("IstioGateway"):
        if not gateway_pods(world, classic):
            yield from _unseen(_without_pods(world, classic), seen)
    for gateway in world.inventory.of("Gateway"):
        yield from _unseen(_through_gateway(world, gateway), seen)
    yield from _unseen(_ingresses(world), seen)
    for service in world.services:
        outside = service.kind in ("LoadBalancer", "NodePort") or service.external_addresses
        if outside and not any(is_gateway(pod) or is_ingress_nginx(pod) for pod in world.pods_of(service)):
            yield from _of_service(service)


def _unseen(ways: Iterator[Way], seen: set[tuple[object, str, str]]) -> Iterator[Way]:
    for way in ways:
        key = way.owner.ref, way.address, way.path
        if key not in seen:
            seen.add(key)
            yield way


def _through_pods(world: World, pod: Workload, service: Service) -> Iterator[Way]:
    config = config_of(world, pod)
    for port in service.ports:
        number = target_number(port, pod)
        if port.protocol == "TCP" and number is not None and number in config.ports:
            via = {"namespace": service.namespace, "name": service.name, "port": port.number}
            yield from _of_port(config, number, port.number, via, str(pod), pod)


def _ingresses(world: World) -> Iterator[Way]:
    """The paths of Ingresses, through whichever controller serves them."""
    nginx = [(pod, service) for pod in world.workloads if is_ingress_nginx(pod) for service in world.services_of(pod)]
    for ingress in world.inventory.of("Ingress"):
        controller = controller_of(world, ingress) or "no controller"
        pods = nginx if controller in ("ingress-nginx", "no controller") else []
        tls = any(not hosts or rule.host in hosts for hosts, _ in ingress.tls for rule in ingress.rules)
        scheme, number = ("https", 443) if tls else ("http", 80)
        for rule in ingress.rules:
            for item in rule.paths:
                via = {"namespace": pods[0][1].namespace, "name": pods[0][1].name, "port": number} if pods else None
                target = Target(host=_sample(rule.host or "*"), port=number, via=via)
                question = Question(Caller(external=True), target, protocol=scheme, path=item.path, headers={})
                words = f"= {item.path}" if item.kind == "Exact" else "*" if item.path == "/" else f"{item.path.rstrip('/')}/*"
                regular = item.kind == "ImplementationSpecific" and any(letter in item.path for letter in "([*\\")
                entry = str(pods[0][0]) if pods else controller
                yield Way(entry, f"{scheme}://{rule.host or '*'}", words, ingress.meta, None if regular else question)


def _without_pods(world: World, gateway: IstioGateway) -> Iterator[Way]:
    """A Gateway whose pods are not in the input: its routes are known all the same."""
    meta = Meta(ObjectRef("v1", "Pod", world.mesh.root_namespace, gateway.meta.name), {}, {}, "", None)
    pod = Workload(meta, "Pod", gateway.selector, {}, "", (), False, (), "", None, ("istio-proxy",))
    routes = by_gateway(world, pod.namespace)
    name = f"Gateway {gateway.meta.namespace}/{gateway.meta.name}"
    for server in gateway.servers:
        bound = Bound(gateway, server)
        via = {"namespace": gateway.meta.namespace, "name": gateway.meta.name, "port": server.port}
        config = Config({}, lambda key: routes.get(key, ()), None)
        if bound.is_plain_http or bound.terminates_http:
            yield from _of_servers(config, (bound,), "http" if bound.is_plain_http else "https", server.port, via, name, pod)


def _through_gateway(world: World, gateway: Gateway) -> Iterator[Way]:
    if controller_of_gateway(world, gateway) == ISTIO and not gateway_entries(world, gateway, 0)[0].name.startswith("Gateway "):
        return  # its pods are in the input, and were looked at before
    config, pod = api_config(world, gateway), stand_in(world, gateway, {}, gateway.meta.name)
    for number in config.ports:
        via: dict[str, object] = {"group": GROUP, "namespace": gateway.meta.namespace, "name": gateway.meta.name, "port": number}
        yield from _of_port(config, number, number, via, f"Gateway {gateway.meta.namespace}/{gateway.meta.name}", pod)


def _of_port(config: Config, number: int, port: int, via: dict[str, object], entry: str, pod: Workload) -> Iterator[Way]:
    found = config.ports[number]
    if found.plain and found.plain[0].is_plain_http:
        yield from _of_servers(config, tuple(found.plain), "http", port, via, entry, pod)
    for bound in found.tls:
        if bound.terminates_http:
            yield from _of_servers(config, (bound,), "https", port, via, entry, pod)
        else:
            for host in bound.sni_hosts:
                yield Way(entry, f"tls://{host}:{port}", "*", bound.gateway.meta, _question(f"tls://{_sample(host)}", port, via, "/", None))


def _of_servers(
    config: Config, servers: tuple[Bound, ...], scheme: str, port: int, via: dict[str, object], entry: str, pod: Workload
) -> Iterator[Way]:
    for name, host in table(servers, config.visible, pod).hosts.items():
        address = f"{scheme}://{name}" + ("" if (scheme, port) in (("http", 80), ("https", 443)) else f":{port}")
        for item in host.entries:
            path, sample = path_words(item.match), _sample_path(item.match)
            call = _question(f"{scheme}://{_sample(name)}", port, via, sample, item.match) if sample is not None else None
            yield Way(entry, address, path, item.owner, call)


def _of_service(service: Service) -> Iterator[Way]:
    for port in service.ports:
        scheme = (
            "udp" if port.protocol == "UDP" else "http" if port.name.startswith(("http", "grpc")) or port.number in (80, 8080) else "tcp"
        )
        target = Target(namespace=service.namespace, service=service.name, port=port.number)
        question = Question(Caller(external=True), target, protocol=scheme, headers={})
        name = f"Service {service.namespace}/{service.name}"
        yield Way(name, f"{scheme}://{name} ({service.kind}):{port.number}", "*", service.meta, question)


def _question(url: str, port: int, via: dict[str, object], path: str, match: HttpMatch | None) -> Question:
    scheme, _, host = url.partition("://")
    headers = {name.lower(): (m.value,) for name, m in match.headers if m.kind in ("exact", "prefix")} if match is not None else {}
    method = match.method.value if match is not None and match.method is not None and match.method.kind == "exact" else "GET"
    query = "&".join(f"{name}={m.value}" for name, m in match.query if m.kind in ("exact", "prefix")) if match is not None else ""
    return Question(
        Caller(external=True),
        Target(host=host, port=port, via=via),
        protocol=scheme,
        method=method,
        path=f"{path}?{query}" if query else path,
        headers=headers,
    )


def _sample(host: str) -> str:
    """A host that a server's host covers."""
    return "any.host.example" if host == "*" else f"any{host[1:]}" if host.startswith("*") else host


def _sample_path(match: HttpMatch | None) -> str | None:
    if match is None or match.path is None or match.path.kind == "present":
        return "/"
    return None if match.path.kind == "regex" else match.path.value


def path_words(match: HttpMatch | None) -> str:
    """A match block in short."""
    if match is None:
        return "*"
    path = match.path
    if path is None:
        words = "*"
    elif path.kind == "exact":
        words = f"= {path.value}"
    elif path.kind == "regex":
        words = f"~ {path.value}"
    else:
        words = "*" if path.value == "/" else f"{path.value}*" if path.kind == "prefix" else f"{path.value}/*"
    method = f"{match.method.value} " if match.method is not None else ""
    headers = "".join(f" [{name}: {m.value or m.kind}]" for name, m in match.headers)
    return f"{method}{words}{headers}"
