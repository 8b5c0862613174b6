"""Everybody who may send a request."""

from __future__ import annotations

from meshcheck.model.rbac import MASTERS, ApiRequest, Binding, Subject
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.kubernetes_rbac.aggregation import GrantedRule
from meshcheck.semantics.kubernetes_rbac.permissions import Permissions
from meshcheck.semantics.kubernetes_rbac.rules import covers


class Allowed(NamedTuple):
    """A subject that may, and what lets it. `binding` is None for the group whose members nothing is asked of."""

    subject: Subject
    binding: Binding | None = None
    granted: GrantedRule | None = None

    @property
    def of_kubernetes(self) -> bool:
        """Whether it is one of Kubernetes' own users and groups, by a binding that every API server makes."""
        own = self.binding is not None and self.binding.is_default
        return own and (self.subject.name.startswith("system:") or self.subject.namespace == "kube-system")


def who_can(permissions: Permissions, request: ApiRequest) -> tuple[Allowed, ...]:
    """Each subject once, with the binding that the API server would name; Kubernetes' own come last. The request's user does not count."""
    found = {Subject("Group", MASTERS): Allowed(Subject("Group", MASTERS))}
    for binding in sorted(permissions.objects.bindings, key=lambda b: (b.is_default, b.namespace or "", b.meta.name)):
        if binding.namespace is not None and (request.path is not None or binding.namespace != request.namespace):
            continue
        rules = permissions.rules.get(binding.role_key, ())
        granted = next((item for item in rules if covers(item.rule, request)), None)
        if granted:
            for subject in binding.subjects:
                found.setdefault(subject, Allowed(subject, binding, granted))
    return tuple(found.values())
