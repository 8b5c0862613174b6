"""The stations of the network: name resolution and network policies."""

from __future__ import annotations

from meshcheck.model.core import Node, Workload
from meshcheck.model.foreign_policies import PLUGIN, foreign_headings
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.model.question import Question
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station
from meshcheck.semantics import network_policy
from meshcheck.semantics.addresses import parse_address
from meshcheck.semantics.network_policy import Endpoint, PolicySet, Side
from meshcheck.semantics.network_policy.others import OtherPolicy, Others, may_have
from meshcheck.semantics.network_policy.travelling import DNS, OTHER, Request, lookups
from meshcheck.semantics.tracing import plugins, symptoms
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.target import Backend, TargetView, of_service
from meshcheck.semantics.world.hosts import DOMAIN
from meshcheck.semantics.world.world import World

_ADMIN = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
_OTHERS = tuple(kind for kind in foreign_headings().values() if kind.ends != "-")
_DNS_SERVICES = (("kube-system", "kube-dns"), ("kube-system", "coredns"), ("openshift-dns", "dns-default"))
KINDS = ("NetworkPolicy", *_ADMIN, *(kind.heading for kind in _OTHERS))
"""Headings of all network policies, those of plugins among them."""


def policy_set(world: World) -> PolicySet:
    """The World's network policies, indexed once."""

    def make() -> PolicySet:
        of = world.inventory.of
        others = Others(OtherPolicy(kind, policy) for kind in _OTHERS if not kind.is_evaluated for policy in of(kind.heading))
        admin = [policy for kind in _ADMIN for policy in of(kind)]
        return PolicySet(of("NetworkPolicy"), admin, others, plugins.cilium(world), plugins.calico(world, endpoint))

    return world.index("network policies", make)


def _policies_of(world: World, *pods: Workload) -> PolicySet:
    """The network policies, to be asked about some pods."""
    for workload in pods:
        _note(world, workload.namespace, workload)
    return policy_set(world)


def _note(world: World, namespace: str, workload: Workload | None = None) -> None:
    """An answer depends on the policies that may be about a pod, or about pods of a namespace."""
    if world.reads is None:
        return
    for kind in ("NetworkPolicy", *_ADMIN):
        world.note(kind, namespace if kind == "NetworkPolicy" else None)
    space = world.namespace_as_known(namespace)
    plugins.note(world)
    for other in _OTHERS:
        if other.enforcer == PLUGIN or workload is None or may_have(other.enforcer, workload, space):
            world.note(other.heading, None if other.everywhere else namespace)


def has_policies(world: World) -> bool:
    """Whether there is any network policy at all."""
    for kind in _ADMIN:
        world.note(kind)
    return world.index("any network policy", lambda: any(world.inventory.of(kind) for kind in KINDS))


def isolated(world: World, workload: Workload, direction: str) -> bool:
    """Whether any network policy may close a direction for a pod."""
    policies = _policies_of(world, workload)
    end = endpoint(world, workload, "")
    if policies.calico is not None and policies.calico.isolates(end, direction):
        return True
    tiers = policies.admin(end, "Admin") or policies.admin(end, "Baseline")
    if policies.cilium is not None and policies.cilium.selecting(end, direction):
        return True
    return bool(policies.selecting(workload, direction) or tiers or policies.others.about(end, direction))


def no_such_name(world: World, question: Question, who: CallerView, what: TargetView) -> Station | None:
    """The cluster's DNS answers that there is no such name: it is one of a Service, and there is no such Service.

    Names that another name server may know are not decided here: `crat.shop` is looked up outside the cluster as well.
    Source: kubernetes/dns:docs/specification.md (NXDOMAIN for names that do not exist).
    """
    host, named, workload = question.target.host, what.named, who.workload
    if host is None or named is None or not named.missing or workload is None or not who.labels_known:
        return None
    if not (host.endswith((".svc", f".svc.{DOMAIN}", f".svc.{DOMAIN}.")) or "." not in host):
        return None
    if workload.host_network or workload.dns_policy not in ("ClusterFirst", ""):
        return None
    namespace = named.host.split(".")[1]
    if not world.complete("Service", "ServiceEntry", namespace=namespace):
        return None
    from meshcheck.semantics.world.names import nearest_service  # imports what few traces need

    name = f"{namespace}/{named.host.split('.')[0]}"
    near = nearest_service(world, host, who.namespace)
    hint = f"; did you mean `{near}`?" if near else ""
    return Station("dns", "cni", DENIED, f"there is no Service {name}{hint}", symptom=symptoms.DNS_FAILURE, workload=str(workload))


def name_resolution(world: World, question: Question, who: CallerView, what: TargetView, explain: bool) -> Station | None:
    """Whether the caller reaches the cluster's DNS, where the target is a name; None when nothing stands in the way.

    The question for the name is a call of its own: egress of the caller, and ingress of the DNS pods (UDP 53).
    """
    host = question.target.host or ("service" if question.target.service else None)
    workload = who.workload
    if host is None or workload is None or not who.labels_known or workload.host_network or parse_address(host) is not None:
        return None
    if not has_policies(world):
        _policies_of(world, workload)
        _note(world, _DNS_SERVICES[0][0])
        for namespace, _ in _DNS_SERVICES:
            for kind in KINDS:
                world.note(kind, namespace, knowing=True)
        return None
    servers = [(b.workload, b.address, b.port) for b in _dns_backends(world) if b.workload is not None]
    asked = servers or [(_usual_dns(world), "", 53)]
    if not isolated(world, workload, "egress") and not any(isolated(world, server, "ingress") for server, _, _ in asked):
        return None

    def station(verdict: str, summary: str, side: Side | None = None, missing: str | None = None) -> Station:
        symptom = symptoms.DNS_FAILURE if verdict == DENIED else None
        mentions, reasons, decider = (side.mentions, side.reasons, _decider(side)) if side else ((), (), None)
        return Station("dns", "cni", verdict, summary, mentions, reasons, symptom, None, decider, missing, str(workload))

    source = endpoint(world, workload, who.address)
    service = what.named.service.host if what.named is not None and what.named.service is not None else None
    names = lookups(host if question.target.host else service or host, workload.namespace, DOMAIN, service)
    closed: list[Side] = []
    for server, address, port in asked:
        every = _policies_of(world, workload, server)
        sides = network_policy.evaluate(
            every, source, endpoint(world, server, address), "UDP", port, explain=explain, request=Request(DNS, names=names)
        )
        shut = [side for side in sides if side.allowed is not True]
        if not shut:
            return station(ALLOWED, "the caller may ask the cluster's DNS") if explain else None
        closed += shut[:1]
    if workload.dns_policy not in ("ClusterFirst", ""):
        return station(
            UNKNOWN, "the pod has name servers of its own", None, f"the name servers of {workload} (dnsPolicy {workload.dns_policy})"
        )
    side = next((s for s in closed if s.allowed is None), closed[0])
    if side.allowed is None:
        return station(UNKNOWN, "whether the caller may ask the cluster's DNS", side, side.missing)
    if not servers:
        policies = ", ".join(str(m.meta.ref) for m in side.mentions)
        fact = f"whether {policies} lets {workload} ask the cluster's DNS: its pods are not in the input"
        return station(UNKNOWN, "whether the caller may ask the cluster's DNS", side, fact)
    return station(DENIED, f"{side.summary}: the caller cannot ask the cluster's DNS (UDP 53)", side)


def _dns_backends(world: World) -> tuple[Backend, ...]:
    service = next((s for namespace, name in _DNS_SERVICES if (s := world.service(namespace, name)) is not None), None)
    return of_service(world, service, 53, protocol="UDP").backends if service is not None else ()


def dns_servers(world: World) -> list[Workload]:
    """The pods of the cluster's DNS; those of nearly every cluster where they are not in the input."""
    return [b.workload for b in _dns_backends(world) if b.workload is not None] or [_usual_dns(world)]


def _usual_dns(world: World) -> Workload:
    """The DNS pods of nearly every cluster: `k8s-app: kube-dns` in kube-system, at an address that is not known."""
    meta = Meta(ObjectRef("v1", "Pod", "kube-system", "coredns"), {}, {}, "", None)
    return world.once("usual dns", lambda: Workload(meta, "Pod", {"k8s-app": "kube-dns"}, {}, "coredns", (), False, (), "", None, ()))


def policies(
    world: World,
    question: Question,
    who: CallerView,
    backend: Backend,
    explain: bool,
    port: int | None = None,
    request: Request | None = None,
) -> list[Station]:
    """The stations of both directions, on the addresses and the port of the wire: `port` where that is not the one that is called.

    `request`: what travels there; a connection of which nothing is known where it is left out.
    """
    port = port or backend.port
    if not has_policies(world):
        _policies_of(world, *(w for w in (who.workload, backend.workload) if w is not None))
        return []
    strict = question.network_policy_only
    source = _source(world, question, who)
    target = _target(world, question, backend)
    if source is None:
        return _unknown_source(world, who, backend)
    every = _policies_of(world, *(end.workload for end in (source, target) if end.workload is not None))
    travels = None if strict else request or Request(OTHER)
    sides = network_policy.evaluate(every, source, target, question.transport, port, strict=strict, explain=explain, request=travels)
    return [
        _station(side, who.workload if side.direction == "egress" else backend.workload, (question.transport, port))
        for side in sides
        if explain or strict or side.allowed is not True
    ]


def _source(world: World, question: Question, who: CallerView) -> Endpoint | None:
    """The caller as an end of the connection; None where nobody knows its labels."""
    if who.workload is not None and who.labels_known:
        return endpoint(world, who.workload, who.address, question.network_policy_only)
    if who.caller.node:
        address = question.source_ip or who.address
        node = node_at(world, address)
        name = node.meta.name if node else ""
        return Endpoint(None, None, address, True, "", True, False, node.meta.labels if node else None, node=name)
    if who.caller.external or who.caller.ip:
        return Endpoint(None, None, question.source_ip or who.address, maybe_pod=not (world.complete("Workload") or who.caller.external))
    return None


def _unknown_source(world: World, who: CallerView, backend: Backend) -> list[Station]:
    """A caller of which only the namespace or the identity is known: its labels matter where either end is isolated."""
    server, namespace = backend.workload, who.namespace or ""
    shut = server is not None and isolated(world, server, "ingress")
    _note(world, namespace)
    if not shut and not policy_set(world).may_isolate(namespace, "egress"):
        return []
    fact = f"which pod of {namespace} calls: network policies look at its labels"
    return [Station("network-policy", "cni", UNKNOWN, fact, missing=fact, workload=str(server) if server else None)]


def endpoint(world: World, workload: Workload, address: str, strict: bool = False) -> Endpoint:
    """A pod as an end of a connection. `strict`: pods in the host's network are pods like others."""
    namespace = world.namespace_as_known(workload.namespace)
    known = namespace.meta is not None or world.complete("Namespace", namespace=workload.namespace)
    node = node_at(world, address) if workload.host_network else None
    host = node is not None or (workload.host_network and bool(address) and not strict)
    doubtful = workload.host_network and not host and not strict
    labels, name = (node.meta.labels, node.meta.name) if node else (None, workload.node if workload.host_network else "")
    return Endpoint(workload, namespace, address, host, "", known, False, labels, doubtful, name)


def _target(world: World, question: Question, backend: Backend) -> Endpoint:
    """The called end: a pod, a node, or something outside the cluster, of which a name may stand for the address."""
    if backend.workload is not None:
        return endpoint(world, backend.workload, backend.address, question.network_policy_only)
    address = backend.address or (question.target.host or "").lower()
    node = node_at(world, address)
    labels, name = (node.meta.labels, node.meta.name) if node else (None, "")
    return Endpoint(None, None, address, node is not None, address, True, False, labels, node=name)


def node_at(world: World, address: str) -> Node | None:
    """The node that has an address."""
    table: dict[str, Node] = world.once("nodes by address", lambda: {a: n for n in world.inventory.of("Node") for a in n.addresses})
    return table.get(address) if address else None


def _station(side: Side, workload: Workload | None, wire: tuple[str, int]) -> Station:
    verdict = {True: ALLOWED, False: DENIED, None: UNKNOWN}[side.allowed]
    return Station(
        name="network-policy",
        enforcer="cni",
        verdict=verdict,
        summary=f"{side.direction}: {side.summary}",
        policies=side.mentions,
        reasons=side.reasons,
        symptom=(side.symptom or symptoms.TIMEOUT) if verdict == DENIED else None,
        decider=_decider(side),
        missing=side.missing,
        workload=str(workload) if workload else None,
        wire=wire,
    )


def _decider(side: Side) -> Mention | None:
    wanted = ("allows",) if side.allowed else ("denies", "isolates")
    return next((m for m in side.mentions if m.effect in wanted), None)
