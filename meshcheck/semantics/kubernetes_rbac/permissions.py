"""All bindings, indexed by whom they name; the decision on a request.

RBAC only ever grants, so what grants is enough to allow. That nothing grants is sure where the world is closed, and is taken as an
answer where the input holds a binding that names the user for the place of the request: who writes one there writes the others there.
Elsewhere it is unknown. Source: kubernetes/kubernetes:pkg/registry/rbac/validation/rule.go:VisitRulesFor,
plugin/pkg/auth/authorizer/rbac/rbac.go:Authorize; kubernetes/apiserver:pkg/authorization/authorizerfactory for `system:masters`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from meshcheck.model.coverage import Coverage
from meshcheck.model.rbac import (
    ACCOUNTS,
    AUTHENTICATED,
    GROUP,
    MASTERS,
    UNAUTHENTICATED,
    ApiRequest,
    Binding,
    RbacObjects,
    Role,
    Subject,
    subject_of,
)
from meshcheck.model.record import NamedTuple, value
from meshcheck.semantics.kubernetes_rbac.aggregation import GrantedRule, RoleKey, rules_of
from meshcheck.semantics.kubernetes_rbac.known import unread
from meshcheck.semantics.kubernetes_rbac.rules import covers

_EVERYBODY = frozenset([AUTHENTICATED, UNAUTHENTICATED, ACCOUNTS])


class Grant(NamedTuple):
    """A binding as it applies to one of its subjects. `rules` is None when the role does not exist."""

    order: int
    subject_index: int
    binding: Binding
    subject: Subject
    rules: tuple[GrantedRule, ...] | None

    @property
    def role_not_found(self) -> str:
        """The API server's words for a role that does not exist."""
        return f'{self.binding.role_kind.lower()}.{GROUP} "{self.binding.role_name}" not found'

    def said(self) -> str:
        """The API server's words for a request that this grants; a role name goes before its namespace."""
        meta, namespace = self.binding.meta, self.binding.namespace
        name = f"{meta.name}/{namespace}" if namespace else meta.name
        return f'RBAC: allowed by {meta.ref.kind} "{name}" of {self.binding.role_kind} "{self.binding.role_name}" to {self.subject}'


@value
class Decision:
    """What RBAC says to a request. `rule` is the index among the rules of the deciding binding's role."""

    allowed: bool | None
    grant: Grant | None = None
    rule: int = 0
    dangling: tuple[Grant, ...] = ()
    """Bindings for this user whose role does not exist."""
    missing: tuple[str, ...] = ()
    """Facts that the answer depends on, when it is unknown."""

    @property
    def said(self) -> str:
        """The reason that the API server gives; empty when it gives none."""
        if self.grant:
            return self.grant.said()
        errors = list(dict.fromkeys(grant.role_not_found for grant in self.dangling))
        return "" if self.allowed or not errors else f"RBAC: {errors[0]}" if len(errors) == 1 else f"RBAC: [{', '.join(errors)}]"

    @property
    def granted(self) -> GrantedRule | None:
        """The deciding rule, and the role in which it is written."""
        return self.grant.rules[self.rule] if self.grant and self.grant.rules else None


class Permissions:
    """Who may do what. `closed` says that there are no other roles and bindings than these.

    `coverage`: of a cluster, where it says which of them are known; a request that needs no others is decided.
    """

    def __init__(self, objects: RbacObjects, *, closed: bool, coverage: Coverage | None = None) -> None:
        self.objects, self.closed, self.coverage = objects, closed, coverage
        self.roles: Mapping[RoleKey, Role] = {role.key: role for role in objects.roles}
        self.rules = rules_of(objects.roles)
        self._users: dict[tuple[str | None, str], list[Grant]] = {}
        self._groups: dict[tuple[str | None, str], list[Grant]] = {}
        # Kubernetes has no order of its own; by name, an answer does not depend on the order of the input. What somebody
        # wrote tells more than what every cluster has, so that goes first.
        ordered = sorted(objects.bindings, key=lambda b: (b.is_default, b.namespace or "", b.meta.name))
        for order, binding in enumerate(ordered):
            rules = self.rules.get(binding.role_key)
            for index, subject in enumerate(binding.subjects):
                table = self._groups if subject.kind == "Group" else self._users
                table.setdefault((binding.namespace, subject.user), []).append(Grant(order, index, binding, subject, rules))

    def grants(self, user: str, groups: Iterable[str], namespace: str | None) -> list[Grant]:
        """What names a user in one namespace, or (None) everywhere, in order."""
        found = list(self._users.get((namespace, user), ()))
        for group in groups:
            found += self._groups.get((namespace, group), ())
        return sorted(found, key=lambda grant: grant[:2]) if len(found) > 1 else found

    def consulted(self, request: ApiRequest) -> list[Grant]:
        """What the API server looks at for a request: cluster-wide bindings first, then those of the request's namespace."""
        everywhere = self.grants(request.user, request.groups, None)
        here = request.namespace if request.path is None else ""
        return [*everywhere, *self.grants(request.user, request.groups, here)] if here else everywhere

    def decide(self, request: ApiRequest) -> Decision:
        """The decision, with what it rests on."""
        if MASTERS in request.groups:
            return Decision(True)
        dangling: dict[Binding, Grant] = {}
        own = False
        for grant in self.consulted(request):
            if grant.rules is None:
                dangling.setdefault(grant.binding, grant)
                continue
            for number, granted in enumerate(grant.rules):
                if covers(granted.rule, request):
                    return Decision(True, grant, number)
            own = own or not (grant.binding.is_default or grant.subject.name in _EVERYBODY)
        lost = tuple(dangling.values())
        if self.coverage is not None:
            facts = self.unread(request, tuple(dangling))
            return Decision(None, dangling=lost, missing=facts) if facts else Decision(False, dangling=lost)
        if self.closed or (own and not lost):
            return Decision(False, dangling=lost)
        return Decision(None, dangling=lost, missing=_missing(request, lost))

    def unread(self, request: ApiRequest, lost: tuple[Binding, ...] = ()) -> tuple[str, ...]:
        """What was not read of a cluster and may grant a request, in words."""
        return unread(self.coverage, request, lost) if self.coverage is not None else ()


def _missing(request: ApiRequest, dangling: tuple[Grant, ...]) -> tuple[str, ...]:
    if dangling:
        return tuple(f"{_role_words(g.binding)}, which {g.binding.meta.ref} gives to {g.subject.words}" for g in dangling)
    kinds = "RoleBindings in namespace " + request.namespace + " and ClusterRoleBindings" if request.namespace else "ClusterRoleBindings"
    return (f"{kinds} for {subject_of(request.user).words}: the input holds none",)


def _role_words(binding: Binding) -> str:
    return f"{binding.role_kind} {binding.namespace + '/' if binding.role_kind == 'Role' and binding.namespace else ''}{binding.role_name}"
