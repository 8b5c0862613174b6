"""A call that arrives at a workload in ambient mode."""

from __future__ import annotations

from meshcheck.model.core import Workload
from meshcheck.model.trace import DENIED, NOT_APPLICABLE, Mention, Station
from meshcheck.semantics.ambient import server as ztunnel
from meshcheck.semantics.ambient import waypoints
from meshcheck.semantics.ambient.capture import same_node
from meshcheck.semantics.gateway.pods import is_gateway
from meshcheck.semantics.outbound.arrival import arrival, without_server_sidecar
from meshcheck.semantics.outbound.sending import Sending
from meshcheck.semantics.tracing import network
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.caller import CallerView
from meshcheck.semantics.tracing.target import Backend
from meshcheck.semantics.world.revisions import view_of


def arrivals(call: Call, sending: Sending, backend: Backend) -> list[list[Station]]:
    """The stations at ztunnel; two ways where it is not known whether a process of the pod's own node calls, which gets past it."""
    workload = backend.workload
    assert workload is not None
    passes = _from_its_node(call, workload)
    out = [] if passes is False else [[ztunnel.let_through(workload, "a process of the pod's own node")]]
    if passes is not True:
        beside = _beside(call, sending, backend, workload) if call.explain else []
        arriving = arrival(view_of(call.world, call.who.workload), call.question, call.who, sending, backend, call.now)
        out.append([*beside, *ztunnel.serve(call.world, workload, backend.port, arriving, call.explain)])
        if sending.originates_tls and out[-1][-1].verdict != DENIED:
            out[-1].append(without_server_sidecar(sending, workload, ""))
    return out


def _beside(call: Call, sending: Sending, backend: Backend, workload: Workload) -> list[Station]:
    """The waypoint that this call does not take."""
    world, who = call.world, call.who
    out = []
    for service in (backend.service,) if backend.service is not None else world.services_of(workload):
        found = waypoints.binding(world, service.meta.labels, service.namespace, "service")
        if found.use is None or (found.gateway is not None and str(who.workload) in map(str, waypoints.pods_of(world, found.gateway))):
            continue
        why = waypoints.why_not(world, found)
        if why is None and (call.what.direct or service.headless) and who.sidecar.ambient:
            why = "the call goes to the address of a pod"
        elif why is None and sending.transport == "hbone":
            why = f"gateways call it only where `{waypoints.INGRESS}` says so" if is_proxy_only(who) else "sidecars do not call waypoints"
        elif why is None:
            why = "the caller's calls do not go through ztunnel"
        owner = found.use.owner or service.meta
        by = Mention(owner, field=("metadata", "labels", waypoints.USE))
        summary = f"{found.use.namespace}/{found.use.name} of Service {service.namespace}/{service.name} is not on the way: {why}"
        out.append(Station("waypoint", "waypoint", NOT_APPLICABLE, summary, (by,), workload=str(workload)))
    return out


def is_proxy_only(who: CallerView) -> bool:
    """Whether the caller is a gateway."""
    return who.workload is not None and is_gateway(who.workload)


def _from_its_node(call: Call, workload: Workload) -> bool | None:
    """Whether a call comes from a process in the network of the node that the called pod runs on; None where that is not known."""
    who = call.who
    if who.workload is not None:
        return same_node(call.world, who.workload.node, workload) if who.workload.host_network and not who.caller.mtls else False
    if not who.caller.node:
        return False
    node = network.node_at(call.world, call.question.source_ip or who.address)
    return same_node(call.world, node.meta.name if node is not None else "", workload)
