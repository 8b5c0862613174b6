"""The stations of the network: name resolution and network policies."""

from __future__ import annotations

from meshcheck.model.core import Node, Workload
from meshcheck.model.question import Question
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station
from meshcheck.semantics import network_policy
from meshcheck.semantics.addresses import parse_address
from meshcheck.semantics.network_policy import Endpoint, PolicySet, Side
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.target import Backend, TargetView, of_service
from meshcheck.semantics.world.world import World

_ADMIN = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
_DNS_SERVICES = (("kube-system", "kube-dns"), ("kube-system", "coredns"), ("openshift-dns", "dns-default"))


def policy_set(world: World) -> PolicySet:
    """The World's network policies, indexed once."""
    return world.once(
        "network policies",
        lambda: PolicySet(world.inventory.of("NetworkPolicy"), [p for kind in _ADMIN for p in world.inventory.of(kind)]),
    )


def has_policies(world: World) -> bool:
    """Whether there is any network policy at all."""
    return world.once("any network policy", lambda: any(world.inventory.of(kind) for kind in ("NetworkPolicy", *_ADMIN)))


def name_resolution(world: World, question: Question, who: CallerView, what: TargetView, explain: bool) -> Station | None:
    """Whether the caller may ask the cluster's DNS, where the target is a name; None when nothing stands in the way."""
    host = question.target.host or ("service" if question.target.service else None)
    workload = who.workload
    if host is None or workload is None or workload.host_network or parse_address(host) is not None or not has_policies(world):
        return None
    if workload.dns_policy not in ("ClusterFirst", "") or not _isolated(world, workload):
        return None
    source = _endpoint(world, workload, who.address)
    service = next((s for namespace, name in _DNS_SERVICES if (s := world.service(namespace, name)) is not None), None)
    servers = list(of_service(world, service, 53, None).backends) if service is not None else []
    targets = [(_endpoint(world, b.workload, b.address), b.port) for b in servers if b.workload is not None] or [(_usual_dns(world), 53)]
    answers = [(target, port, _egress(world, source, target, port, explain)) for target, port in targets]
    if any(side.allowed for _, _, side in answers):
        return Station("dns", "cni", ALLOWED, "the caller may ask the cluster's DNS", workload=str(workload)) if explain else None
    side = answers[0][2]
    if side.allowed is None or not servers:
        fact = side.missing if servers and side.missing else _dns_fact(world, workload, side)
        return (
            Station(
                "dns", "cni", UNKNOWN, "whether the caller may ask the cluster's DNS", side.mentions, missing=fact, workload=str(workload)
            )
            if fact
            else None
        )
    why = f"{side.summary}: the caller cannot ask the cluster's DNS (UDP 53)"
    return Station(
        "dns", "cni", DENIED, why, side.mentions, side.reasons, symptoms.DNS_FAILURE, decider=_decider(side), workload=str(workload)
    )


def _dns_fact(world: World, workload: Workload, side: Side) -> str | None:
    """What to say where the DNS pods are not in the input: rules for the usual ones are taken as meant."""
    if side.allowed:
        return None
    policies = ", ".join(f"{m.meta.namespace}/{m.meta.name}" for m in side.mentions if m.effect == "isolates")
    return f"whether {policies or 'the policies'} let {workload} ask the cluster's DNS: its pods are not in the input"


def _usual_dns(world: World) -> Endpoint:
    """The DNS pods of nearly every cluster: `k8s-app: kube-dns` in kube-system, at an address that is not known."""
    from meshcheck.model.objects import Meta, ObjectRef

    def make() -> Workload:
        meta = Meta(ObjectRef("v1", "Pod", "kube-system", "coredns"), {}, {}, "", None)
        return Workload(meta, "Pod", {"k8s-app": "kube-dns"}, {}, "coredns", (), False, (), "", None, ())

    return _endpoint(world, world.once("usual dns", make), "")


def _isolated(world: World, workload: Workload) -> bool:
    policies = policy_set(world)
    end = _endpoint(world, workload, "")
    return bool(policies.selecting(workload, "egress") or policies.admin(end, "Admin") or policies.admin(end, "Baseline"))


def _egress(world: World, source: Endpoint, target: Endpoint, port: int, explain: bool) -> Side:
    return network_policy.evaluate(policy_set(world), source, target, "UDP", port, explain=explain)[0]


def policies(world: World, question: Question, who: CallerView, backend: Backend, explain: bool) -> list[Station]:
    """The stations of both directions, on the addresses and the port of the wire."""
    if not has_policies(world):
        return []
    strict = question.network_policy_only
    source = _source(world, question, who)
    target = _endpoint(world, backend.workload, backend.address, strict) if backend.workload else _elsewhere(world, backend.address)
    if source is None:
        return _unknown_source(world, who, backend, target)
    sides = network_policy.evaluate(policy_set(world), source, target, question.transport, backend.port, strict=strict, explain=explain)
    return [
        _station(side, who.workload if side.direction == "egress" else backend.workload)
        for side in sides
        if explain or strict or side.allowed is not True
    ]


def _source(world: World, question: Question, who: CallerView) -> Endpoint | None:
    if who.workload is not None:
        return _endpoint(world, who.workload, who.address, question.network_policy_only)
    if who.caller.node:
        address = question.source_ip or who.address
        node = _node_at(world, address)
        return Endpoint(None, None, address, True, "", True, False, node.meta.labels if node else None)
    if who.caller.external or who.caller.ip:
        return Endpoint(None, None, question.source_ip or who.address, maybe_pod=not (world.closed or who.caller.external))
    return None


def _unknown_source(world: World, who: CallerView, backend: Backend, target: Endpoint) -> list[Station]:
    """A caller of which only the identity is known: its labels matter only where the server is isolated."""
    workload = backend.workload
    if workload is None:
        return []
    policies = policy_set(world)
    if not (policies.selecting(workload, "ingress") or policies.admin(target, "Admin") or policies.admin(target, "Baseline")):
        return []
    fact = f"which pod of {who.namespace} calls: network policies look at its labels"
    return [Station("network-policy", "cni", UNKNOWN, fact, missing=fact, workload=str(workload))]


def _endpoint(world: World, workload: Workload, address: str, strict: bool = False) -> Endpoint:
    namespace = world.namespace(workload.namespace)
    known = world.closed or namespace.meta is not None
    node = _node_at(world, address) if workload.host_network else None
    host = node is not None or (workload.host_network and bool(address) and not strict)
    doubtful = workload.host_network and not host and not strict
    return Endpoint(workload, namespace, address, host, "", known, False, node.meta.labels if node else None, doubtful)


def _elsewhere(world: World, address: str) -> Endpoint:
    """An address that is no pod's: a node, or something outside the cluster; a name outside stands for its address."""
    node = _node_at(world, address)
    return Endpoint(None, None, address, node is not None, address, True, False, node.meta.labels if node else None)


def _node_at(world: World, address: str) -> Node | None:
    """The node that has an address."""
    table: dict[str, Node] = world.once("nodes by address", lambda: {a: n for n in world.inventory.of("Node") for a in n.addresses})
    return table.get(address) if address else None


def _station(side: Side, workload: Workload | None) -> Station:
    verdict = {True: ALLOWED, False: DENIED, None: UNKNOWN}[side.allowed]
    return Station(
        name="network-policy",
        enforcer="cni",
        verdict=verdict,
        summary=f"{side.direction}: {side.summary}",
        policies=side.mentions,
        reasons=side.reasons,
        symptom=symptoms.TIMEOUT if verdict == DENIED else None,
        decider=_decider(side),
        missing=side.missing,
        workload=str(workload) if workload else None,
    )


def _decider(side: Side) -> Mention | None:
    wanted = ("allows",) if side.allowed else ("denies", "isolates")
    return next((m for m in side.mentions if m.effect in wanted), None)
