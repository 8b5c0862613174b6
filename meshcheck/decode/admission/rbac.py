"""Role, ClusterRole and their bindings.

Source: kubernetes/kubernetes:pkg/apis/rbac/validation/validation.go.
"""

from __future__ import annotations

from typing import Any

from meshcheck.decode.admission import formats, metadata
from meshcheck.decode.admission.faults import Check, Faults, at, below
from meshcheck.decode.admission.table import Table
from meshcheck.decode.admission.words import not_one_of

GROUP = "rbac.authorization.k8s.io"
TABLE = """
Role #role: apiVersion str, kind str, metadata ObjectMeta, rules [PolicyRule#policy_rule]
ClusterRole: aggregationRule AggregationRule#aggregation, apiVersion str, kind str, metadata ObjectMeta, rules [PolicyRule#policy_rule]
PolicyRule: apiGroups [str], nonResourceURLs [str], resourceNames [str], resources [str], verbs [str]
AggregationRule: clusterRoleSelectors [LabelSelector]
RoleBinding #binding: apiVersion str, kind str, metadata ObjectMeta, roleRef RoleRef, subjects [Subject]
ClusterRoleBinding #cluster_binding: apiVersion str, kind str, metadata ObjectMeta, roleRef RoleRef, subjects [Subject]
RoleRef: apiGroup str, kind str, name str
Subject: apiGroup str, apiVersion str, kind str, name str, namespace str
"""


def _role(value: dict[str, Any]) -> Faults:
    for number, rule in enumerate(value.get("rules") or ()):
        if rule.get("nonResourceURLs"):
            return at("a Role has a namespace, and `nonResourceURLs` have none; use a ClusterRole", "rules", number, "nonResourceURLs")
    return None


def _policy_rule(value: dict[str, Any]) -> Faults:
    if not value.get("verbs"):
        return at("a rule needs at least one verb", "verbs")
    if value.get("nonResourceURLs"):
        if any(value.get(name) for name in ("apiGroups", "resources", "resourceNames")):
            return at("a rule is either for resources or for `nonResourceURLs`", "nonResourceURLs")
        return None
    for name, what in (("apiGroups", 'API group (`""` is the core group)'), ("resources", "resource")):
        if not value.get(name):
            return at(f"a rule for resources needs at least one {what}", name)
    return None


def _aggregation(value: dict[str, Any]) -> Faults:
    return None if value.get("clusterRoleSelectors") else at("at least one selector is required", "clusterRoleSelectors")


def _binding(value: dict[str, Any]) -> Faults:
    return _reference(value.get("roleRef") or {}, ("Role", "ClusterRole")) or _subjects(value, namespaced=True)


def _cluster_binding(value: dict[str, Any]) -> Faults:
    return _reference(value.get("roleRef") or {}, ("ClusterRole",)) or _subjects(value, namespaced=False)


def _reference(ref: dict[str, Any], kinds: tuple[str, ...]) -> Faults:
    # The API server fills in a missing apiGroup.
    if ref.get("apiGroup", "") not in ("", GROUP):
        return at(not_one_of(ref["apiGroup"], [GROUP]), "roleRef", "apiGroup")
    if ref.get("kind") not in kinds:
        return at(not_one_of(ref.get("kind", ""), kinds), "roleRef", "kind")
    if not ref.get("name"):
        return at("`roleRef.name` is required", "roleRef", "name")
    return at(said, "roleRef", "name") if (said := formats.path_segment(ref["name"])) else None


def _subjects(value: dict[str, Any], namespaced: bool) -> Faults:
    for number, subject in enumerate(value.get("subjects") or ()):
        if bad := _subject(subject, namespaced):
            return below(bad, "subjects", number)
    return None


def _subject(subject: dict[str, Any], namespaced: bool) -> Faults:
    kind, name, group = subject.get("kind", ""), subject.get("name", ""), subject.get("apiGroup", "")
    if not name:
        return at("a subject needs a name", "name")
    if kind == "ServiceAccount":
        if said := formats.dns_subdomain(name):
            return at(said, "name")
        if group:
            return at("a ServiceAccount is in the core group; leave `apiGroup` out", "apiGroup")
        if not namespaced and not subject.get("namespace"):
            return at("a ServiceAccount needs its namespace here", "namespace")
        return None
    if kind not in ("User", "Group"):
        return at(not_one_of(kind, ("ServiceAccount", "User", "Group")), "kind")
    return at(not_one_of(group, [GROUP]), "apiGroup") if group not in ("", GROUP) else None


_RULES: dict[str, Check] = {
    "role": _role,
    "policy_rule": _policy_rule,
    "aggregation": _aggregation,
    "binding": _binding,
    "cluster_binding": _cluster_binding,
}
KINDS = Table(TABLE + metadata.TABLE, {**metadata.RULES, **_RULES}, metadata.FORMATS, lenient_nulls=True)
