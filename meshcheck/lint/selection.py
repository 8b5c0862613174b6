"""Which workloads a policy means, and selectors that mean none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import servers
from meshcheck.model.core import Workload
from meshcheck.model.objects import ObjectRef
from meshcheck.semantics.attachment import selects
from meshcheck.semantics.gateway.pods import gateway_pods, is_gateway
from meshcheck.semantics.world.sidecars import sidecar_of


def in_scope(evidence: Evidence, namespace: str) -> tuple[Workload, ...]:
    """Workloads that a policy in a namespace may select: those of the namespace; all of them for the root namespace."""
    world = evidence.world
    return world.workloads if namespace == world.mesh.root_namespace else world.workloads_in(namespace)


def unmatched(evidence: Evidence, kind: str) -> Iterator[tuple[Any, str]]:
    """(policy, hint) of Istio's policies of a kind that have a selector which selects no workload in its scope.

    Policies for the pods of a Gateway that are not in the input, since they come with an installation of Istio, are left out.
    """
    for policy in evidence.of(kind):
        selector = policy.attachment.selector if hasattr(policy, "attachment") else policy.selector
        if not selector:
            continue
        scope = in_scope(evidence, policy.meta.namespace)
        if not any(selects(selector, workload.pod_labels) for workload in scope) and not _is_for_unknown_gateway(evidence, selector):
            yield policy, near_label(selector, scope)


def some_pod_has(evidence: Evidence, selector: Mapping[str, str]) -> bool:
    """Whether any pod, whatever its namespace, has the labels of a selector that is not empty."""
    every = evidence.once("pods by label", lambda: _by_pair(evidence.world.workloads))
    near = min((every.get(pair, ()) for pair in selector.items()), key=len, default=())
    return any(selects(selector, labels) for labels in near)


def _by_pair(workloads: tuple[Workload, ...]) -> dict[tuple[str, str], list[Mapping[str, str]]]:
    out: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for workload in workloads:
        for pair in workload.pod_labels.items():
            out.setdefault(pair, []).append(workload.pod_labels)
    return out


def _is_for_unknown_gateway(evidence: Evidence, selector: Mapping[str, str]) -> bool:
    """Whether the labels are those by which a Gateway names pods none of which is in the input."""
    gateways = evidence.of("IstioGateway")
    return any(selects(selector, g.selector) for g in gateways if g.selector and not gateway_pods(evidence.world, g))


def near_label(selector: Mapping[str, str], scope: tuple[Workload, ...]) -> str:
    """`; did you mean …` where a pod has a label that looks like one of the selector's."""
    for key, value in selector.items():
        values = {w.pod_labels[key] for w in scope if key in w.pod_labels}
        if value not in values and (near := get_close_matches(value, values, 1)):
            return f"; did you mean `{key}: {near[0]}`?"
    return ""


def applies_to(evidence: Evidence, policy: Any) -> tuple[Workload, ...]:
    """Workloads to whose proxies an AuthorizationPolicy applies. A Pod is left out where its controller stands for it."""
    return evidence.once("workloads by policy", lambda: _by_policy(evidence)).get(policy.meta.ref, ())


def _by_policy(evidence: Evidence) -> dict[ObjectRef, tuple[Workload, ...]]:
    out: dict[ObjectRef, list[Workload]] = {}
    for workload in servers(evidence):
        for policy in evidence.world.authorization_policies(workload):
            out.setdefault(policy.meta.ref, []).append(workload)
    return {ref: tuple(found) for ref, found in out.items()}


def selected_by(evidence: Evidence, policy: Any) -> tuple[Workload, ...]:
    """Workloads that the selector of one of Istio's policies selects; none for a policy without a selector."""
    selector = policy.attachment.selector if hasattr(policy, "attachment") else policy.selector
    if not selector:
        return ()
    namespace, root = policy.meta.namespace, evidence.world.mesh.root_namespace
    every = evidence.once("servers by label", lambda: _by_label(evidence))
    keys = [(None if namespace == root else namespace, key, value) for key, value in selector.items()]
    near = min((every.get(key, ()) for key in keys), key=len, default=())
    return tuple(w for w in near if selects(selector, w.pod_labels))


def gateway_elsewhere(evidence: Evidence, policy: Any) -> Workload | None:
    """A gateway's pods in another namespace that have the labels a policy selects, where no workload of its own namespace has them."""
    selector, namespace = policy.attachment.selector, policy.meta.namespace
    if not selector or namespace == evidence.world.mesh.root_namespace or selected_by(evidence, policy):
        return None
    gateways = evidence.once("gateways", lambda: tuple(w for w in servers(evidence) if is_gateway(w)))
    return next((w for w in gateways if selects(selector, w.pod_labels)), None)


def _by_label(evidence: Evidence) -> dict[tuple[str | None, str, str], list[Workload]]:
    out: dict[tuple[str | None, str, str], list[Workload]] = {}
    for workload in servers(evidence):
        for key, value in workload.pod_labels.items():
            for namespace in (workload.namespace, None):
                out.setdefault((namespace, key, value), []).append(workload)
    return out


def outside_mesh(evidence: Evidence, workload: Workload) -> str | None:
    """Why no proxy of Istio stands before a workload; None where one does, or where that is not known.

    Pods that the CNI has enrolled carry an annotation. Source: istio/istio:cni/pkg/nodeagent/informers.go.
    """
    sidecar = sidecar_of(evidence.world, workload)
    enrolled = workload.pod_annotations.get("ambient.istio.io/redirection") == "enabled"
    if sidecar.present is not False or sidecar.ambient or enrolled or is_gateway(workload):
        return None
    return sidecar.why
