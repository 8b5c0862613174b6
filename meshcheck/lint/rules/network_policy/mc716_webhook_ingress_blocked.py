"""A NetworkPolicy admits nobody but pods to a webhook, and the API server is no pod.

## Finds

Admission and conversion webhooks, and API services, all of whose pods are isolated for ingress by NetworkPolicies that admit neither an
address block nor everybody, nor pods of kube-system, to the port on which the webhook serves.

## Why it matters

The API server calls webhooks from the control plane's own network, which selectors of pods do not mean. With `failurePolicy: Fail` every
request that the webhook is asked about fails after its timeout, in the whole cluster; deployments of the webhook itself may be among them.

## Avoid

```yaml
spec:
  podSelector: {matchLabels: {app: webhook}}
  ingress: [{from: [{podSelector: {}}]}]
```

## Prefer

```yaml
spec:
  podSelector: {matchLabels: {app: webhook}}
  ingress: [{ports: [{port: 9443}]}]      # a webhook checks certificates itself
```

## Exceptions

Network plugins that let the nodes, and so an API server that runs on one, through whatever policies say.

## Silent when

The webhook's Service or pods are not in the input, or policies may be elsewhere (open world); a rule has an address block, or may mean pods
of kube-system, where agents that carry the API server's calls run (konnectivity); an admin policy may decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import decided_elsewhere, end_of, isolating
from meshcheck.lint.rule import Found, rule
from meshcheck.lint.webhooks import called_services
from meshcheck.model.core import Workload
from meshcheck.model.network_policy import INGRESS, NetworkPolicy, PodPeer
from meshcheck.semantics.network_policy.peers import Endpoint, selects_namespace
from meshcheck.semantics.network_policy.ports import covered
from meshcheck.semantics.tracing.target import of_service

_KINDS = ("Workload", "Service", "NetworkPolicy", "ClusterNetworkPolicy", "AdminNetworkPolicy")
_SYSTEM = "kube-system"


@rule("MC716", "webhook-ingress-blocked", severity="error", needs="absence", confidence="medium", kinds=_KINDS, audience="platform")
def check(evidence: Evidence) -> Iterator[Found]:
    """Webhooks that the API server cannot reach; each Service once for each object."""
    seen = set()
    for ref, origin, field, service, fails in called_services(evidence) if not decided_elsewhere(evidence) else ():
        name = f"{service.get('namespace')}/{service.get('name')}"
        policy = _closing(evidence, service) if (ref, name) not in seen else None
        seen.add((ref, name))
        if policy is not None:
            message = (
                f"the API server is no pod, and NetworkPolicy {policy.meta.namespace}/{policy.meta.name} admits nothing else to {name}"
            )
            related = (("this drops its calls", policy.meta.origin, ("spec", INGRESS) if policy.ingress else ("spec",)),)
            yield Found(f"{message}: {fails} fails", ref, origin, field, related)


def _closing(evidence: Evidence, reference: Mapping[str, Any]) -> NetworkPolicy | None:
    """A policy that closes a pod of a Service for the API server; None where one of the pods may be open."""
    service = evidence.world.service(str(reference.get("namespace")), str(reference.get("name")))
    number = reference.get("port", 443)
    first: NetworkPolicy | None = None
    if service is None or not isinstance(number, int):
        return None
    for backend in of_service(evidence.world, service, number).backends:
        workload = backend.workload
        policies = isolating(evidence, workload, INGRESS) if workload is not None and not workload.host_network else ()
        if workload is None or not policies or any(_may_admit(evidence, p, workload, backend.port) for p in policies):
            return None
        first = first or policies[0]
    return first


def _may_admit(evidence: Evidence, policy: NetworkPolicy, workload: Workload, number: int) -> bool:
    """Whether a rule for a port may mean the API server, or an agent that carries its calls."""
    known = evidence.world.namespace_as_known(_SYSTEM)
    system = Endpoint(None, known, "", labels_known=known.meta is not None)

    def may(peer: object) -> bool:
        if not isinstance(peer, PodPeer):
            return True
        if peer.namespaces is None:
            return policy.meta.namespace == _SYSTEM
        return selects_namespace(peer.namespaces, system) is not False

    rules = [one for one in policy.ingress if covered(one, end_of(evidence, workload), "TCP", number)]
    return any(not one.peers or any(may(peer) for peer in one.peers) for one in rules)
