"""What would almost have granted a request: bindings and rules with the fields that fail, the nearest first."""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.model.api_resources import Resources
from meshcheck.model.pattern import pattern
from meshcheck.model.rbac import ApiRequest, Binding, Role, Subject, account_of, subject_of
from meshcheck.model.reason import Reason
from meshcheck.model.record import value
from meshcheck.semantics.kubernetes_rbac.aggregation import GrantedRule
from meshcheck.semantics.kubernetes_rbac.permissions import Grant, Permissions
from meshcheck.semantics.kubernetes_rbac.rules import covers, group_matches, name_matches, resource_matches, url_matches, verb_matches

_MOST = 5
_OFFERED = ("view", "edit", "admin")
_VERSION = pattern(r"/v\d\w*$")


@value
class NearMiss:
    """A rule that fails in a few fields only. `binding` is None when nothing grants the role where the request is.

    The text of each of `failing` is `subject`, `binding`, `scope` or the field of the rule.
    """

    role: Role
    granted: GrantedRule
    failing: tuple[Reason, ...]
    binding: Binding | None = None
    hints: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """What fails, by name."""
        return tuple(reason.text for reason in self.failing)


def near_misses(
    permissions: Permissions, request: ApiRequest, *, own_only: bool = False, resources: Resources | None = None
) -> list[NearMiss]:
    """The nearest misses, at most five. `own_only` looks at the user's own bindings and costs as little as the decision."""
    found = list(_own(permissions, request, resources or Resources()))
    if not own_only:
        found += _others(permissions, request)
        found += _unbound(permissions, request)
    ranked = sorted(found, key=lambda miss: (_rank(miss), miss.binding.meta.name if miss.binding else "", miss.granted.number))
    return ranked[:_MOST]


def _rank(miss: NearMiss) -> float:
    known = {"subject": 2.0 - (0.9 if miss.hints else 0), "binding": 2.5 if miss.role.is_default else 1.5}
    wide = 0.2 if "*" in miss.granted.rule.resources or (miss.binding and miss.binding.is_default) else 0
    return sum(known.get(field, 1.0) for field in miss.fields) + wide - (0.1 if miss.hints else 0)


def _in_reach(namespace: str | None, request: ApiRequest) -> bool:
    """Whether bindings of a namespace (None: of all) are looked at for a request."""
    return namespace is None or (request.path is None and namespace == request.namespace)


# ---- the user's own bindings ----


def _own(permissions: Permissions, request: ApiRequest, resources: Resources) -> Iterator[NearMiss]:
    """Rules that the user has, here or elsewhere, and that lack one or two fields."""
    elsewhere = {b.namespace: None for b in permissions.objects.bindings if b.namespace is not None}
    for namespace in (None, *elsewhere):
        in_reach = _in_reach(namespace, request)
        seen: set[Binding] = set()
        for grant in permissions.grants(request.user, request.groups, namespace):
            if grant.binding in seen:
                continue
            seen.add(grant.binding)
            for granted in grant.rules or ():
                fails, hints = _fails(granted, request, resources)
                if fails is None:
                    continue
                if not in_reach:
                    fails = (*fails, _scope(grant, request))
                if 0 < len(fails) <= 2:
                    yield NearMiss(permissions.roles[grant.binding.role_key], granted, fails, grant.binding, hints)


def _scope(grant: Grant, request: ApiRequest) -> Reason:
    meta = grant.binding.meta
    if request.path is not None:
        actual = "a path, which only a ClusterRoleBinding grants"
    elif not request.namespace:
        actual = "cluster scope, which only a ClusterRoleBinding grants"
    else:
        actual = f"namespace {request.namespace}"
    return Reason("scope", False, meta.ref, ("metadata", "namespace"), (f"namespace {meta.namespace}",), actual)


def _fails(granted: GrantedRule, request: ApiRequest, resources: Resources) -> tuple[tuple[Reason, ...] | None, tuple[str, ...]]:
    """Fields of a rule that fail, with hints; None when the rule is about something else."""
    rule, ref, field = granted.rule, granted.source.meta.ref, ("rules", granted.number)
    fails: list[Reason] = []
    hints: list[str] = []
    if not verb_matches(rule, request):
        fails.append(Reason("verbs", False, ref, (*field, "verbs"), rule.verbs, request.verb))
        if request.verb in [verb.lower() for verb in rule.verbs]:
            hints.append("verbs are compared by case; write them in lower case")
    if request.path is not None:
        if not url_matches(rule, request.path):
            if not any(_alike_url(url, request.path) for url in rule.urls):
                return None, ()
            fails.append(Reason("nonResourceURLs", False, ref, (*field, "nonResourceURLs"), rule.urls, request.path))
            hints.append("`/a/*` does not cover `/a`, and only a `*` at the end is a pattern")
        return (tuple(fails), tuple(hints)) if rule.urls else (None, ())
    if not resource_matches(rule, request):
        hint = next((hint for written in rule.resources if (hint := _resource_hint(written, request, resources))), None)
        if hint is None:
            return None, ()
        fails.append(Reason("resources", False, ref, (*field, "resources"), rule.resources, request.full_resource))
        hints.append(hint)
    if not group_matches(rule, request):
        if "*" in rule.resources:
            return None, ()  # everything of another group: that is no near miss
        fails.append(Reason("apiGroups", False, ref, (*field, "apiGroups"), rule.groups, request.group or '""'))
        hints += [hint for written in rule.groups if (hint := _group_hint(written, request))][:1]
    if not name_matches(rule, request):
        fails.append(Reason("resourceNames", False, ref, (*field, "resourceNames"), rule.names, request.name or '""'))
        if not request.name:
            hints.append(_nameless_hint(request))
        elif any("*" in name for name in rule.names):
            hints.append("names are literal: `*` is no pattern here")
    return tuple(fails), tuple(hints)


def _nameless_hint(request: ApiRequest) -> str:
    if request.verb in ("list", "watch"):
        return f"`{request.verb}` names no object: it is covered only with the field selector metadata.name={{one of them}}"
    return f"`{request.verb}` names no object, so a rule with resourceNames never covers it"


def _resource_hint(written: str, request: ApiRequest, resources: Resources) -> str | None:
    """Why a resource that somebody wrote looks like the request's and is not."""
    base, _, sub = written.partition("/")
    if written == f"{request.resource}/*":
        return f"`{written}` is no pattern and covers nothing; write `{request.full_resource}`"
    if base == request.resource:
        return f"a subresource is a resource of its own: `{written}` does not cover `{request.full_resource}`"
    if base.lower() == request.resource or _means(base, request, resources):
        return f"resources are written in the plural and in lower case: `{request.full_resource}`, not `{written}`"
    if base == "*" and sub:
        return f"`{written}` covers one subresource of every resource, not `{request.full_resource}`"
    return None


def _means(name: str, request: ApiRequest, resources: Resources) -> bool:
    found = resources.find(name)
    return found is not None and found.plural == request.resource and name != request.resource


def _group_hint(written: str, request: ApiRequest) -> str | None:
    if _VERSION.sub("", written) == request.group and written != request.group:
        return f"an API group is written without its version: `{request.group}`, not `{written}`"
    if not request.group and written in ("v1", "core"):
        return f'the core group is written `""`, not `{written}`'
    return None


def _alike_url(url: str, path: str) -> bool:
    return url.rstrip("*/") == path.rstrip("/") or "*" in url[:-1] or path.startswith(url.rstrip("/") + "/")


# ---- others' bindings, and roles that nobody has ----


def _others(permissions: Permissions, request: ApiRequest) -> Iterator[NearMiss]:
    """Bindings that would grant the request to somebody else."""
    for binding in permissions.objects.bindings:
        if binding.is_default or not _in_reach(binding.namespace, request):
            continue
        if any(_is_subject(subject, request) for subject in binding.subjects):
            continue
        granted = _granting(permissions.rules.get(binding.role_key, ()), request)
        if granted is None:
            continue
        hints = tuple(hint for n, s in enumerate(binding.subjects) if (hint := _subject_hint(s, binding, n, request)))
        wanted = tuple(s.words for s in binding.subjects)
        fail = Reason("subject", False, binding.meta.ref, ("subjects",), wanted, subject_of(request.user).words)
        yield NearMiss(permissions.roles[binding.role_key], granted, (fail,), binding, hints[:1])


def _is_subject(subject: Subject, request: ApiRequest) -> bool:
    return subject.name in request.groups if subject.kind == "Group" else subject.user == request.user


def _subject_hint(subject: Subject, binding: Binding, index: int, request: ApiRequest) -> str | None:
    """Why a subject that somebody wrote looks like the user and is not."""
    account = account_of(request.user)
    here = f"subjects[{index}]"
    if subject.kind == "Group":
        return f"{here} is a Group of the user's name; the kind for it is User" if subject.name == request.user else None
    if account is None:
        return f"{here}: user names are compared by case" if subject.name.lower() == request.user.lower() else None
    namespace, name = account
    if subject.kind == "ServiceAccount" and subject.name == name:
        return f"{here} is service account {subject.namespace}/{name}; the caller is {namespace}/{name}"
    if subject.kind == "ServiceAccount" and subject.namespace == namespace and subject.name.lower() == name.lower():
        return f"{here}: names are compared by case"
    if subject.kind == "User" and subject.name in (name, f"{namespace}/{name}", f"{namespace}:{name}"):
        return f"{here} is the User `{subject.name}`; a service account has the kind ServiceAccount"
    return None


def _unbound(permissions: Permissions, request: ApiRequest) -> Iterator[NearMiss]:
    """Roles that grant the request and that no binding gives to anybody where it is made."""
    bound = {b.role_key for b in permissions.objects.bindings if _in_reach(b.namespace, request)}
    for role in permissions.objects.roles:
        if role.is_default or role.key in bound or role.key[1] not in (None, request.namespace if request.path is None else None):
            continue
        if granted := _granting(permissions.rules[role.key], request):
            yield NearMiss(role, granted, (_nobody(role, request),))
    for name in _OFFERED:  # the least of them that will do
        offered = permissions.roles.get(("ClusterRole", None, name))
        if offered and offered.is_default and (granted := _granting(permissions.rules[offered.key], request)):
            yield NearMiss(offered, granted, (_nobody(offered, request),))
            return


def _nobody(role: Role, request: ApiRequest) -> Reason:
    return Reason("binding", False, role.meta.ref, (), (), subject_of(request.user).words)


def _granting(rules: tuple[GrantedRule, ...], request: ApiRequest) -> GrantedRule | None:
    return next((item for item in rules if covers(item.rule, request)), None)
