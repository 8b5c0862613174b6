"""Which entry points a call may take: the one that the question names, or those that serve the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshcheck.model.core import Service, Workload
from meshcheck.model.record import replace
from meshcheck.model.trace import ALLOWED, DENIED, Mention, Station
from meshcheck.semantics.entry import envoy, ingress_nginx
from meshcheck.semantics.entry.client import peer_of
from meshcheck.semantics.entry.config import config_of, services_of
from meshcheck.semantics.entry.gates import load_balancer
from meshcheck.semantics.entry.gateway_api import gateway_entries
from meshcheck.semantics.entry.ingress_answers import Door
from meshcheck.semantics.entry.other_ingress import controller_at, nobody, other_entries
from meshcheck.semantics.entry.passed import Entry, Passed, unknown
from meshcheck.semantics.gateway.pods import gateway_pods, is_gateway
from meshcheck.semantics.gateway_api.listeners import members_of
from meshcheck.semantics.ingress.controller import controller_of, is_ingress_nginx
from meshcheck.semantics.ingress.objects import served
from meshcheck.semantics.outbound import client
from meshcheck.semantics.routing.selection import host_covers
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.server import target_number
from meshcheck.semantics.world.revisions import view_of
from meshcheck.semantics.world.world import World


def entries(call: Call) -> list[Entry] | None:
    """The entry points of a call; None when it goes straight to its target."""
    via, who, what = call.question.target.via, call.who, call.what
    if via is not None:
        return _named(call, via)
    if call.question.network_policy_only:
        return None
    service = what.named.service if what.named is not None else None
    if service is not None and _is_entry(call.world, service) and not (who.caller.mtls or who.caller.plaintext):
        return _of_service(call.world, service, what.port)  # automatic mTLS leaves gateways out: they get plaintext from sidecars, too
    outside = who.caller.external or (who.workload is None and bool(who.caller.ip))
    if not outside:
        return None
    if service is not None:
        return [exposed(service, call)] if who.caller.external else None
    by_address = _by_external_address(call.world, what.host)
    if by_address is not None:
        return _of_service(call.world, by_address, what.port) if _is_entry(call.world, by_address) else [exposed(by_address, call)]
    if what.named is None or not what.named.external or what.named.entry is not None:
        return None
    return _serving(call) or None


def _by_external_address(world: World, host: str) -> Service | None:
    """The Service that has an address or name outside the cluster."""
    table = world.once("services by external address", lambda: {a: s for s in world.services for a in s.external_addresses})
    return table.get(host)


def _is_entry(world: World, service: Service) -> bool:
    return any(is_gateway(pod) or is_ingress_nginx(pod) for pod in world.pods_of(service))


def _serving(call: Call) -> list[Entry]:
    """The gateways that serve the host; where none does, those that listen on the port at all."""
    world, port = call.world, call.what.port
    host = (call.question.host or call.what.host).lower()
    host = host.partition(":")[0] if not host.startswith("[") else host
    doors = [(entry, hosts) for entry, hosts, public in _doors(world, port) if public] or [d[:2] for d in _doors(world, port)]
    serving = [entry for entry, hosts in doors if any(host_covers(declared, host) for declared in hosts)]
    exact = [entry for entry, hosts in doors if host in hosts]
    others = other_entries(call, host) if not exact else []
    return exact or others or serving or [entry for entry, _ in doors]


def _doors(world: World, port: int) -> list[tuple[Entry, frozenset[str], bool]]:
    """All ways in on a port, each with the hosts of its servers, and whether it has an address outside the cluster."""

    def find() -> list[tuple[Entry, frozenset[str], bool]]:
        out: list[tuple[Entry, frozenset[str], bool]] = []
        served: set[int] = set()
        for pod in world.workloads:
            if is_ingress_nginx(pod):
                out += _ingress_doors(world, pod, port)
            if not is_gateway(pod):
                continue
            config = config_of(view_of(world, pod), pod)
            for service in world.services_of(pod) or ():
                found = next((p for p in service.ports if p.number == port and p.protocol == "TCP"), None)
                number = target_number(found, pod) if found is not None else None
                if number in config.ports:
                    assert number is not None
                    bound = config.ports[number]
                    hosts = frozenset(host for b in (*bound.plain, *bound.tls) for host in b.sni_hosts)
                    public = service.kind in ("LoadBalancer", "NodePort") or bool(service.external_addresses)
                    out.append((_classic(pod, number, service), hosts, public))
                    served.add(id(pod))
        for gateway in world.inventory.of("IstioGateway"):
            if not gateway_pods(world, gateway):
                hosts = frozenset(h.rpartition("/")[2] for s in gateway.servers if s.port == port for h in s.hosts)
                name = f"Gateway {gateway.meta.namespace}/{gateway.meta.name}"
                if hosts:
                    out.append((_lost(name, f"the pods of {name} ({_labels(gateway.selector)}): they are not in the input"), hosts, True))
        for api in world.inventory.of("Gateway"):
            listeners = [m.listener for m in members_of(world, api) if m.listener.port == port and m.refused is None]
            pods = [p for ns, n in services_of(api) if (s := world.service(ns, n)) is not None for p in world.pods_of(s)]
            if listeners and not any(id(pod) in served for pod in pods):
                hosts = frozenset(listener.hostname or "*" for listener in listeners)
                out += [(entry, hosts, True) for entry in gateway_entries(world, api, port)]
        return out

    return world.once(("ways in", port), find)


def _ingress_doors(world: World, pod: Workload, port: int) -> list[tuple[Entry, frozenset[str], bool]]:
    """ingress-nginx on a port of its Services, with the hosts of its Ingresses."""
    hosts = frozenset(rule.host or "*" for ingress in served(world, controller_of(world, pod))[0] for rule in ingress.rules)
    out = []
    for service in world.services_of(pod):
        found = next((p for p in service.ports if p.number == port and p.protocol == "TCP"), None)
        if found is not None:
            public = service.kind in ("LoadBalancer", "NodePort") or bool(service.external_addresses)
            out.append((_classic(pod, target_number(found, pod) or port, service), hosts, public))
    return out


def exposed(service: Service, call: Call) -> Entry:
    """A Service that is called from outside by itself, without a gateway."""
    name = f"Service {service.namespace}/{service.name}"
    if service.kind not in ("LoadBalancer", "NodePort") and not service.external_addresses:
        fact = f"how a call from outside reaches {name}: type {service.kind} has no address outside (`--via`: through a gateway)"
        return _lost(name, fact)

    def enter(call: Call) -> Passed:
        stations: list[Station] = []
        if service.source_ranges:
            stations.append(load_balancer(service, call.question.source_ip or call.who.address))
            if stations[0].verdict == DENIED:
                return Passed(tuple(stations), DENIED, stations[0].symptom)
        peer = peer_of(call, service)
        stations.append(Station("load-balancer", service.kind, ALLOWED, f"{name}: {peer.why}", (Mention(service.meta),)))
        who = call.who._replace(
            address=peer.address, caller=replace(call.who.caller, external=False), name=f"{call.who.name}, through {name}"
        )
        question = replace(call.question, source_ip=None)
        return Passed(tuple(stations), None, None, (), question, who, tuple(client.send(call.world, question, who, call.what, False)))

    return Entry(name, enter)


def _by_name(world: World, kind: str) -> dict[tuple[str, str], Any]:
    """Namespace and name → the first object of a kind."""
    return world.once((kind, "by name"), lambda: {(o.meta.namespace, o.meta.name): o for o in reversed(world.inventory.of(kind))})


def _named(call: Call, via: Any) -> list[Entry]:
    """The entry point that the question names: a Gateway, a Service, or a workload."""
    world = call.world
    namespace, name, port = via.get("namespace") or "default", via.get("name") or "", via.get("port") or call.what.port
    if not via.get("group"):
        gateway = _by_name(world, "IstioGateway").get((namespace, name))
        if gateway is not None:
            return [_of_pods(world, pod, port) for pod in gateway_pods(world, gateway)] or [
                _lost(f"Gateway {namespace}/{name}", f"the pods of Gateway {namespace}/{name} ({_labels(gateway.selector)})")
            ]
    if (gateway := _by_name(world, "Gateway").get((namespace, name))) is not None:
        return gateway_entries(world, gateway, port)
    service = world.service(namespace, name)
    if service is not None:
        controller = controller_at(world, service)
        if controller is not None:
            host = (call.question.host or call.what.host).lower().partition(":")[0]
            return [e for e in other_entries(call, host) if e.name == controller] or [nobody(call, controller, service, host)]
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
    if is_ingress_nginx(pod):
        return Entry(str(pod), lambda call: ingress_nginx.pass_through(call, Door(pod, service, port)))
    if not is_gateway(pod):
        return _lost(
            str(pod), f"what {pod} makes of the call: it is not a gateway of Istio, nor an ingress controller that meshcheck knows"
        )
    return Entry(f"{pod}", lambda call: envoy.pass_through(call, envoy.Pods(pod, port, service), config_of(view_of(call.world, pod), pod)))


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
