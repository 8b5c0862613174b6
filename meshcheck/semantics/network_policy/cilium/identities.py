"""Labels of Cilium's identities, and whether selectors mean them.

Sources: cilium/cilium:pkg/k8s/apis/cilium.io/utils/utils.go (getEndpointSelector), pkg/labelsfilter/filter.go (defaultLabelPrefixCfg).
"""

from __future__ import annotations

from meshcheck.model.core import Requirement, Selector
from meshcheck.model.objects import ObjectRef, Path
from meshcheck.model.reason import Reason
from meshcheck.semantics.network_policy.peers import Endpoint

NAMESPACE = "io.kubernetes.pod.namespace"
_NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
_ACCOUNT = "io.cilium.k8s.policy.serviceaccount"
_CLUSTER = "io.cilium.k8s.policy.cluster"
_LEFT_OUT = (
    *("io.kubernetes", "kubernetes.io", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", "k8s.io", "annotation"),
    *("batch.kubernetes.io/job-completion-index", "batch.kubernetes.io/controller-uid", "pod-template-generation", "pod-template-hash"),
    *("controller-revision-hash", "controller-uid", "etcd_node", "topology.kubernetes.io"),
)
"""Beginnings of labels that are no part of identities, unless Cilium's configuration says so."""


def selects(selector: Selector, end: Endpoint, namespace: str | None) -> bool | None:
    """Whether a selector of peers means an end. `namespace` is that of the policy; empty for a clusterwide one, which means all of them;
    None where the selector is about the policy's own pods, whose namespace is known to be right.
    """
    plain = [_key(requirement) for requirement in selector.requirements]
    if any(source == "reserved" for source, _ in plain):
        return False if end.is_pod and end.workload is not None and not end.doubtful else None
    workload = end.workload
    if workload is None or end.host:
        return None if end.maybe_pod or end.doubtful else False
    if workload.kind == "WorkloadEntry":
        return None
    if end.doubtful:
        return False  # a pod in the host's network has the identity of its node
    if namespace and not is_bound(selector) and workload.namespace != namespace:
        return False
    result: bool | None = True
    for requirement, (source, key) in zip(selector.requirements, plain):
        answer = _holds(requirement, source, key, end)
        if answer is False:
            return False
        result = result and answer
    return result


def is_bound(selector: Selector) -> bool:
    """Whether a selector of peers says by itself which namespaces it means; one that does not means that of its policy."""
    plain = (_key(requirement) for requirement in selector.requirements)
    return any(source == "reserved" or key == NAMESPACE or key.startswith(_NAMESPACE_LABELS) for source, key in plain)


def _key(requirement: Requirement) -> tuple[str, str]:
    """The source of a label, and its name: `any` where no source is written."""
    source, colon, key = requirement.key.partition(":")
    return (source, key) if colon else ("any", requirement.key)


def _holds(requirement: Requirement, source: str, key: str, end: Endpoint) -> bool | None:
    workload, space = end.workload, end.namespace
    assert workload is not None
    if source not in ("any", "k8s"):
        return None
    if key == _CLUSTER:
        return None if requirement.operator in ("In", "NotIn") else requirement.operator == "Exists"
    value: str | None
    if key == NAMESPACE:
        value = workload.namespace
    elif key == _ACCOUNT:
        value = workload.service_account
    elif key.startswith(_NAMESPACE_LABELS):
        name = key.removeprefix(_NAMESPACE_LABELS)
        if space is None or (not end.labels_known and name != "kubernetes.io/metadata.name"):
            return None
        value = space.labels.get(name)
    else:
        value = workload.pod_labels.get(key)
        if value is not None and (key.startswith(_LEFT_OUT) or "beta.kubernetes.io" in key):
            return None
    return requirement.holds({} if value is None else {requirement.key: value})


def explain_selector(ref: ObjectRef, selector: Selector, end: Endpoint, namespace: str, field: Path) -> list[Reason]:
    """The conditions of a selector that a pod fails."""
    workload = end.workload
    assert workload is not None
    plain = [_key(requirement) for requirement in selector.requirements]
    failing = []
    if namespace and not is_bound(selector) and workload.namespace != namespace:
        wanted, actual = (f"pods of namespace {namespace}",), f"namespace {workload.namespace}"
        failing.append(Reason("endpoints without a namespace", False, ref, field, wanted, actual))
    for requirement, (source, key) in zip(selector.requirements, plain):
        holds = None if source == "reserved" else _holds(requirement, source, key, end)
        if holds is not True:
            actual = f"{key}={workload.pod_labels[key]}" if key in workload.pod_labels else f"no label {key}"
            if key == NAMESPACE:
                actual = f"namespace {workload.namespace}"
            elif key.startswith(_NAMESPACE_LABELS) and end.namespace is not None:
                name = key.removeprefix(_NAMESPACE_LABELS)
                actual = f"namespace {workload.namespace} has {end.namespace.labels.get(name, 'no such label')}"
            elif key == _ACCOUNT:
                actual = f"service account {workload.service_account}"
            failing.append(Reason(f"endpoints {requirement.key}", holds, ref, requirement.field, (_words(requirement),), actual))
    return failing


def _words(requirement: Requirement) -> str:
    if requirement.operator in ("Exists", "DoesNotExist"):
        return f"{requirement.key} {requirement.operator}"
    if requirement.operator == "In" and len(requirement.values) == 1:
        return f"{requirement.key}={requirement.values[0]}"
    return f"{requirement.key} {requirement.operator} {', '.join(requirement.values)}"
