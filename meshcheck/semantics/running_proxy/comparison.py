"""A proxy, the workload that it stands before, and one call that gets there."""

from __future__ import annotations

from collections.abc import Sequence

from meshcheck.model.core import Workload
from meshcheck.model.proxy_config import RunningProxy
from meshcheck.model.record import record
from meshcheck.model.trace import Trace
from meshcheck.semantics.running_proxy.decision import Answer, answer
from meshcheck.semantics.running_proxy.differences import ADDED, TOKENS, Difference, differences
from meshcheck.semantics.running_proxy.outbound import outbound_differences
from meshcheck.semantics.tracing import server
from meshcheck.semantics.tracing.call import Arrived
from meshcheck.semantics.world.world import World


@record
class Comparison:
    """What was compared, and what was found. `answer` is what the running proxy makes of a call; None where none gets to it."""

    proxy: RunningProxy
    workload: Workload
    port: int | None
    """The port that was looked at; None for all of them."""
    differences: tuple[Difference, ...]
    answer: Answer | None = None


def workload_of(world: World, proxy: RunningProxy) -> Workload | None:
    """The workload whose proxy it is: by its name, its pod, or, where only one can be meant, its labels."""
    namespace = proxy.namespace
    for name in (proxy.workload, proxy.pod):
        if name and (found := world.find_workload(namespace, name) or world.find_pod(namespace, name)):
            return found
    labels = dict(proxy.labels)
    alike = [w for w in world.workloads_in(namespace) if w.pod_labels and all(labels.get(k) == v for k, v in w.pod_labels.items())]
    return alike[0] if len(alike) == 1 else None


def compare(world: World, proxy: RunningProxy, workload: Workload, port: int | None = None) -> Comparison:
    """Hold a proxy against the manifests, at one port or at all."""
    return Comparison(proxy, workload, port, differences(world, workload, proxy, port))


def compare_call(proxy: RunningProxy, workload: Workload, arrivals: Sequence[Arrived], world: World, found: Trace) -> Comparison:
    """Hold a proxy against the manifests where a call meets it: where it arrives, or, at the caller's, where it is sent."""
    met = [arrived for arrived in arrivals if arrived.workload is workload or str(arrived.workload) == str(workload)]
    if not met:
        sent = outbound_differences(proxy, found) if found.hops and str(workload) == found.hops[0].source else ()
        there = compare(world, proxy, workload)
        return Comparison(proxy, workload, None, (*sent, *there.differences))
    arrived = met[0]
    there = compare(arrived.world, proxy, workload, arrived.port)
    answers = {_answer(proxy, each, there.differences) for each in met}
    one = answers.pop() if len(answers) == 1 else Answer(None, "that depends on what the trace names as missing")
    return Comparison(proxy, workload, arrived.port, there.differences, one)


def _answer(proxy: RunningProxy, arrived: Arrived, found: tuple[Difference, ...]) -> Answer:
    world, workload, port, arrival = arrived
    http = server.is_http_chain(world, workload, port, arrival)
    attributes = server.filters(world, workload, port, arrival, http, False)[1]
    if attributes.http and any(d.kind == TOKENS or "issuer" in d.message for d in found):
        attributes.unknown |= {"payload"}  # which token it accepts is not what the manifests say
    said = answer(proxy, port, arrival.transport, attributes)
    added = next((d for d in found if d.kind == ADDED and d.policy_id is None), None)
    if said.allowed and added:
        return Answer(None, f"its rules let the call through, but {added.message.partition(':')[0]}")
    return said
