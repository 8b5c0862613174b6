"""The labels by which Calico's selectors know pods and sets of addresses.

Sources: projectcalico/calico:libcalico-go/lib/backend/k8s/conversion/{conversion,workload_endpoint_default}.go (labels of pods, and those
that namespaces and service accounts lend them), libcalico-go/lib/backend/syncersv1/updateprocessors/{workloadendpointprocessor,
networksetprocessor}.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.calico import NAMESPACE, OF_ACCOUNT, OF_NAMESPACE, ORCHESTRATOR, SERVICE_ACCOUNT, NetworkSet, SelectorPart
from meshcheck.model.calico_selectors import UNREAD, Look, Unread, every
from meshcheck.semantics.network_policy.calico.surroundings import Surroundings
from meshcheck.semantics.network_policy.peers import Endpoint

_NAME = "projectcalico.org/name"
_LONGEST = 63


def is_endpoint(end: Endpoint) -> bool:
    """Whether it is a pod that Calico knows: those in the host's network are their node to it."""
    return end.workload is not None and not end.host and not end.doubtful


def of_pod(end: Endpoint, around: Surroundings) -> Look:
    """Labels of a pod."""
    workload, namespace = end.workload, end.namespace
    assert workload is not None
    pods = {key: text for key, text in workload.pod_labels.items() if not key.startswith((OF_NAMESPACE, OF_ACCOUNT))}
    own = {**pods, NAMESPACE: workload.namespace, ORCHESTRATOR: "k8s"}
    account = workload.service_account
    if account and len(account) < _LONGEST:
        own[SERVICE_ACCOUNT] = account

    def look(key: str) -> str | Unread | None:
        if key in own:
            return own[key]
        if key.startswith(OF_NAMESPACE):
            labels = dict(namespace.labels) if namespace is not None else {}
            return _lent(key.removeprefix(OF_NAMESPACE), workload.namespace, labels, end.labels_known)
        if key.startswith(OF_ACCOUNT) and account:
            found = around.account_labels(workload.namespace, account)
            return _lent(key.removeprefix(OF_ACCOUNT), account, found or {}, found is not None)
        return None

    return look


def _lent(key: str, name: str, labels: Mapping[str, str], known: bool) -> str | Unread | None:
    if key == _NAME:
        return name
    return labels.get(key) if known or key in labels else UNREAD


def of_set(one: NetworkSet, around: Surroundings) -> Look:
    """Labels of a set of addresses; a set of a namespace has those of it, too."""
    namespace = one.meta.namespace if one.meta.ref.kind == "NetworkSet" else ""
    own = {**one.labels, NAMESPACE: namespace} if namespace else one.labels

    def look(key: str) -> str | Unread | None:
        if key in own:
            return own[key]
        if namespace and key.startswith(OF_NAMESPACE):
            found = around.namespace_labels(namespace)
            return _lent(key.removeprefix(OF_NAMESPACE), namespace, found or {}, found is not None)
        return None

    return look


def selected(parts: tuple[SelectorPart, ...], look: Look) -> bool | None:
    """Whether all selectors hold for labels."""
    return every(part.expression.holds(look) for part in parts)
