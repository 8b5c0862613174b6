"""Roles and bindings, and those that every API server makes itself.

Sources: kubernetes/kubernetes:plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go, whose objects as of 1.37 are in
data/kubernetes_rbac.jsonl; pkg/registry/rbac/validation/rule.go:appliesToUser for the namespace of service accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from meshcheck.decode import admission
from meshcheck.decode.collect import Document
from meshcheck.decode.metadata import decode_meta, decode_selector
from meshcheck.model.objects import Meta
from meshcheck.model.objects import Path as Field
from meshcheck.model.rbac import DEFAULTS_LABEL, GROUP, Binding, RbacObjects, Role, Rule, Subject

_API = f"{GROUP}/v1"
_ROLES, _BINDINGS = ("Role", "ClusterRole"), ("RoleBinding", "ClusterRoleBinding")
_DEFAULTS = Path(__file__).parents[1] / "data" / "kubernetes_rbac.jsonl"


def collect_rbac(documents: Iterable[Document], default_namespace: str = "default", *, closed: bool = False) -> RbacObjects:
    """The roles and bindings among some documents, and the default ones that are missing there.

    A closed world that holds some of the default objects holds all: then nothing is added.
    """
    roles: dict[tuple[Any, ...], Role] = {}
    bindings: dict[tuple[Any, ...], Binding] = {}
    refused: list[tuple[Meta, Field, str]] = []
    dump = False
    for document in documents:
        value = document.value
        kind = value["kind"]
        if not value["apiVersion"].startswith(f"{GROUP}/") or kind not in (*_ROLES, *_BINDINGS):
            continue
        meta = decode_meta(value, document.origin, default_namespace)
        if bad := [problem for problem in admission.problems(value) if problem.refused_by]:
            refused.append((meta, bad[0].path, bad[0].message))
            continue
        dump = dump or meta.labels.get(DEFAULTS_LABEL[0]) == DEFAULTS_LABEL[1]
        key = kind, meta.ref.namespace, meta.name
        if kind in _ROLES:
            roles[key] = decode_role(value, meta)
        else:
            bindings[key] = decode_binding(value, meta)
    if not (closed and dump):
        own_roles, own_bindings = bootstrap()
        roles = own_roles | roles
        bindings = own_bindings | bindings
    return RbacObjects(tuple(roles.values()), tuple(bindings.values()), tuple(refused))


def decode_role(value: Mapping[str, Any], meta: Meta, built_in: bool = False) -> Role:
    """A Role or ClusterRole; the API server has admitted it."""
    aggregation = value.get("aggregationRule") if meta.ref.kind == "ClusterRole" else None
    field = ("aggregationRule", "clusterRoleSelectors")
    selectors = (aggregation or {}).get("clusterRoleSelectors") or ()
    return Role(
        meta,
        tuple(_rule(rule or {}) for rule in value.get("rules") or ()),
        tuple(decode_selector(item, (*field, n)) for n, item in enumerate(selectors)) if aggregation else None,
        built_in,
    )


def _rule(rule: Mapping[str, Any]) -> Rule:
    names = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
    # An item that is null is the empty text to the API server.
    verbs, groups, resources, objects, urls = (tuple(text or "" for text in rule.get(name) or ()) for name in names)
    return Rule(verbs, groups, resources, objects, urls)


def decode_binding(value: Mapping[str, Any], meta: Meta, built_in: bool = False) -> Binding:
    """A RoleBinding or ClusterRoleBinding; the API server has admitted it."""
    role = value.get("roleRef") or {}
    subjects = (_subject(item or {}, meta.namespace) for item in value.get("subjects") or ())
    return Binding(meta, role.get("kind") or "", role.get("name") or "", tuple(subjects), built_in)


def _subject(item: Mapping[str, Any], namespace: str) -> Subject:
    kind = item.get("kind") or ""
    return Subject(kind, item.get("name") or "", (item.get("namespace") or namespace) if kind == "ServiceAccount" else "")


@cache
def bootstrap() -> tuple[dict[tuple[Any, ...], Role], dict[tuple[Any, ...], Binding]]:
    """The objects that the API server makes when it starts, by kind, namespace and name."""
    from json import loads

    roles: dict[tuple[Any, ...], Role] = {}
    bindings: dict[tuple[Any, ...], Binding] = {}
    for line in _DEFAULTS.read_text("utf-8").splitlines():
        value = {"apiVersion": _API, **loads(line)}
        meta = decode_meta(value, None)
        key = value["kind"], meta.ref.namespace, meta.name
        if value["kind"] in _ROLES:
            roles[key] = decode_role(value, meta, built_in=True)
        else:
            bindings[key] = decode_binding(value, meta, built_in=True)
    return roles, bindings
