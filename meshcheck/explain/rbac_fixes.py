"""The smallest changes that would let a request to the Kubernetes API through, each tried out before it is offered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.model.rbac import ANONYMOUS, GROUP, ApiRequest, Binding, RbacObjects, Role, Rule, Subject, account_of, subject_of
from meshcheck.model.record import replace, value
from meshcheck.semantics.kubernetes_rbac.near_misses import NearMiss
from meshcheck.semantics.kubernetes_rbac.permissions import Decision, Permissions

_API = f"{GROUP}/v1"
_OF_THE_RULE = {"verbs": "verb", "apiGroups": "group", "resources": "full_resource", "resourceNames": "name"}
_LISTS = {"verbs": "verbs", "apiGroups": "groups", "resources": "resources", "resourceNames": "names"}
QUOTES = '""'
_NAMELESS = ("create", "deletecollection", "list", "watch")
_MADE_BY_OTHERS = ("pods", "replicasets", "jobs", "events", "endpointslices", "leases")
"""Resources whose names are made up as they come, so that a rule for one name is of no use tomorrow."""


@value
class RbacFix:
    """A change, as objects to apply or as a JSON Patch of one that is there. All of them were tried out."""

    description: str
    objects: tuple[Mapping[str, Any], ...] = ()
    patches: tuple[tuple[ObjectRef, tuple[Mapping[str, Any], ...]], ...] = ()
    also_opens: tuple[str, ...] = ()


def rbac_fixes(permissions: Permissions, request: ApiRequest, decision: Decision, misses: list[NearMiss]) -> list[RbacFix]:
    """What would turn a refusal, the change that opens least first. Nothing is offered to callers that nobody knows."""
    if decision.allowed or request.user == ANONYMOUS:
        return []
    tried = [fix for fix, changed in _candidates(permissions, request, decision, misses) if _allows(changed, request)]
    return sorted(tried, key=lambda fix: bool(fix.also_opens))[:3]


def _allows(objects: RbacObjects, request: ApiRequest) -> bool:
    return Permissions(objects, closed=True).decide(request).allowed is True


def _candidates(
    permissions: Permissions, request: ApiRequest, decision: Decision, misses: list[NearMiss]
) -> Iterator[tuple[RbacFix, RbacObjects]]:
    objects = permissions.objects
    for grant in decision.dangling:
        if not grant.binding.is_default:
            yield _missing_role(objects, grant.binding, request)
    for miss in misses:
        if miss.binding and _OF_THE_RULE.keys() >= set(miss.fields):
            role = miss.granted.source
            # Nobody writes the empty name that a request without a name has into `resourceNames`.
            if not role.is_default and role is miss.role and (request.name or "resourceNames" not in miss.fields):
                yield _longer_rule(permissions, miss, request)
        elif miss.fields == ("subject",) and miss.hints and miss.binding:
            yield _one_more_subject(objects, miss, request)
        elif miss.fields == ("binding",) or (miss.fields == ("scope",) and miss.role.key[0] == "ClusterRole"):
            yield _new_binding(objects, miss.role, request)
    yield _new_role(objects, request)


# ---- changes ----


def _missing_role(objects: RbacObjects, binding: Binding, request: ApiRequest) -> tuple[RbacFix, RbacObjects]:
    """The role that a binding of the user names, and that does not exist, with one rule."""
    namespace = binding.role_key[1]
    role = _role(binding.role_kind, namespace, binding.role_name, request)
    opens = _others(binding.subjects, request)
    text = f"make the {binding.role_kind} `{binding.role_name}` that {binding.meta.ref} names"
    return RbacFix(text, (_role_json(role),), (), opens), replace(objects, roles=(*objects.roles, role))


def _longer_rule(permissions: Permissions, miss: NearMiss, request: ApiRequest) -> tuple[RbacFix, RbacObjects]:
    """One more entry in each list that fails. What else the rule says, and whom else it serves, gets more as well."""
    role, rule, number = miss.role, miss.granted.rule, miss.granted.number
    entries: dict[str, str] = {field: getattr(request, _OF_THE_RULE[field]) for field in miss.fields}
    longer = rule
    for field, entry in entries.items():
        longer = replace(longer, **{_LISTS[field]: (*getattr(longer, _LISTS[field]), entry)})
    changed = replace(role, rules=tuple(longer if n == number else other for n, other in enumerate(role.rules)))
    opens = _opened_by(rule, entries, request)
    for binding in permissions.objects.bindings:
        if binding.role_key == role.key:
            place = f"in namespace {binding.namespace}" if binding.namespace else "everywhere"
            opens += [f"{who} gets it {place}" for who in _others(binding.subjects, request) or _elsewhere(binding, miss)]
    shown = " and ".join(f"`{entry or QUOTES}` to rules[{number}].{field}" for field, entry in entries.items())
    patch = tuple({"op": "add", "path": f"/rules/{number}/{field}/-", "value": entry} for field, entry in entries.items())
    roles = tuple(changed if other is role else other for other in permissions.objects.roles)
    fix = RbacFix(f"add {shown} of {role.meta.ref}", (), ((role.meta.ref, patch),), tuple(opens))
    return fix, replace(permissions.objects, roles=roles)


def _elsewhere(binding: Binding, miss: NearMiss) -> tuple[str, ...]:
    """The user's own other bindings of the role, in other namespaces."""
    return () if miss.binding is binding or (miss.binding and miss.binding.namespace == binding.namespace) else ("the same user",)


def _opened_by(rule: Rule, entries: Mapping[str, str], request: ApiRequest) -> list[str]:
    """What longer lists open besides the request: a rule grants the product of its lists."""
    opens = []
    if entries.keys() & {"verbs", "apiGroups"} and (others := [r for r in rule.resources if r != request.full_resource]):
        opens.append(f"resources {', '.join(others)} of the same rule")
    if entries.keys() & {"resources", "apiGroups"} and (others := [v for v in rule.verbs if v != request.verb]):
        opens.append(f"verbs {', '.join(others)} of the same rule")
    return opens


def _one_more_subject(objects: RbacObjects, miss: NearMiss, request: ApiRequest) -> tuple[RbacFix, RbacObjects]:
    assert miss.binding
    binding, subject = miss.binding, subject_of(request.user)
    changed = replace(binding, subjects=(*binding.subjects, subject))
    opens = tuple(f"all other rules of {miss.role.meta.ref}" for _ in miss.role.rules[1:2])
    text = f"name {subject.words} as a subject of {binding.meta.ref}"
    patch = {"op": "add", "path": "/subjects/-", "value": _subject_json(subject)}
    bindings = tuple(changed if other is binding else other for other in objects.bindings)
    return RbacFix(text, (), ((binding.meta.ref, (patch,)),), opens), replace(objects, bindings=bindings)


def _new_binding(objects: RbacObjects, role: Role, request: ApiRequest) -> tuple[RbacFix, RbacObjects]:
    binding = _binding(request, role.meta.ref.kind, role.meta.name, _name(objects, request, role.meta.name))
    opens = tuple(f"all other rules of {role.meta.ref}" for _ in role.rules[1:2])
    text = f"bind {role.meta.ref}, which grants it"
    return RbacFix(text, (_binding_json(binding),), (), opens), replace(objects, bindings=(*objects.bindings, binding))


def _new_role(objects: RbacObjects, request: ApiRequest) -> tuple[RbacFix, RbacObjects]:
    """A role with one rule and a binding: opens the request and nothing else."""
    kind = "Role" if request.namespace else "ClusterRole"
    name = _name(objects, request, request.full_resource if request.path is None else request.path)
    role = _role(kind, request.namespace or None, name, request)
    binding = _binding(request, kind, name, name)
    changed = RbacObjects((*objects.roles, role), (*objects.bindings, binding))
    return RbacFix(f"a {kind} for this alone, and its binding", (_role_json(role), _binding_json(binding))), changed


# ---- objects ----


def _name(objects: RbacObjects, request: ApiRequest, what: str) -> str:
    """A name that no role and no binding has."""
    who = account_of(request.user)
    words = f"{who[1] if who else request.user}-{request.verb}-{what}".lower()
    name = "-".join(part for part in "".join(c if c.isalnum() and c.isascii() else "-" for c in words).split("-") if part)[:60]
    taken = {role.meta.name for role in objects.roles} | {binding.meta.name for binding in objects.bindings}
    return next(free for number in range(1, len(taken) + 2) if (free := f"{name}-{number}" if number > 1 else name) not in taken)


def _meta(kind: str, namespace: str | None, name: str) -> Meta:
    return Meta(ObjectRef(_API, kind, namespace, name), {}, {}, "", None)


def _role(kind: str, namespace: str | None, name: str, request: ApiRequest) -> Role:
    if request.path is not None:
        rule = Rule((request.verb,), urls=(request.path,))
    else:
        named = request.name and request.verb not in _NAMELESS and request.resource not in _MADE_BY_OTHERS
        rule = Rule((request.verb,), (request.group,), (request.full_resource,), (request.name,) if named else ())
    return Role(_meta(kind, namespace, name), (rule,))


def _binding(request: ApiRequest, role_kind: str, role_name: str, name: str) -> Binding:
    kind = "RoleBinding" if request.namespace else "ClusterRoleBinding"
    return Binding(_meta(kind, request.namespace or None, name), role_kind, role_name, (subject_of(request.user),))


def _others(subjects: tuple[Subject, ...], request: ApiRequest) -> tuple[str, ...]:
    return tuple(s.words for s in subjects if s.kind == "Group" or s.user != request.user)


def _role_json(role: Role) -> Mapping[str, Any]:
    rule = role.rules[0]
    fields = {
        "apiGroups": rule.groups,
        "resources": rule.resources,
        "resourceNames": rule.names,
        "nonResourceURLs": rule.urls,
        "verbs": rule.verbs,
    }
    return {**_head(role.meta), "rules": [{name: list(items) for name, items in fields.items() if items}]}


def _binding_json(binding: Binding) -> Mapping[str, Any]:
    return {
        **_head(binding.meta),
        "roleRef": {"apiGroup": GROUP, "kind": binding.role_kind, "name": binding.role_name},
        "subjects": [_subject_json(subject) for subject in binding.subjects],
    }


def _subject_json(subject: Subject) -> Mapping[str, Any]:
    if subject.kind == "ServiceAccount":
        return {"kind": subject.kind, "name": subject.name, "namespace": subject.namespace}
    return {"kind": subject.kind, "name": subject.name, "apiGroup": GROUP}


def _head(meta: Meta) -> dict[str, Any]:
    named = {"namespace": meta.ref.namespace, "name": meta.name} if meta.ref.namespace else {"name": meta.name}
    return {"apiVersion": _API, "kind": meta.ref.kind, "metadata": named}
