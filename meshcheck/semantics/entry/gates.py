"""What stands before the pods of an entry point: the load balancer's list, and network policies."""

from __future__ import annotations

from meshcheck.model.core import Service, Workload
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station
from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.tracing import network, symptoms
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.target import Backend


def load_balancer(service: Service, address: str) -> Station:
    """`loadBalancerSourceRanges`: who is let in at all."""
    name = f"Service {service.namespace}/{service.name}"
    mention = Mention(service.meta, field=("spec", "loadBalancerSourceRanges"))
    given = parse_address(address) if address else None
    if given is None:
        fact = f"the client's address, for loadBalancerSourceRanges of {name}: say it with `--source-ip`"
        return Station(
            "load-balancer", "load-balancer", UNKNOWN, f"{name} lets in {', '.join(service.source_ranges)}", (mention,), missing=fact
        )
    if any(block.holds(given) for text in service.source_ranges if (block := parse_block(text)) is not None):
        return Station("load-balancer", "load-balancer", ALLOWED, f"{name} lets {address} in", (mention,))
    why = f"{name} lets in {', '.join(service.source_ranges)}, and not {address}"
    return Station("load-balancer", "load-balancer", DENIED, why, (mention,), symptom=symptoms.TIMEOUT, decider=mention)


def wire(call: Call, pod: Workload, port: int, service: Service | None, peer: str) -> list[Station]:
    """Network policies between the client and the pods; `peer` is the address from which the connection comes."""
    backend = Backend(pod, pod.addresses[0] if pod.addresses else "", port, service, None)
    who = call.who._replace(address=peer) if call.who.workload is None else call.who
    return network.policies(call.world, call.question, who, backend, call.explain)
