"""Kubernetes API authorization: roles, bindings, and a request to the API server.

Source: kubernetes/api:rbac/v1/types.go.
"""

from __future__ import annotations

from meshcheck.model.core import Selector
from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import record, value

GROUP = "rbac.authorization.k8s.io"
MASTERS, AUTHENTICATED, UNAUTHENTICATED = "system:masters", "system:authenticated", "system:unauthenticated"
ANONYMOUS = "system:anonymous"
DEFAULTS_LABEL = ("kubernetes.io/bootstrapping", "rbac-defaults")
"""What the API server marks its own roles and bindings with."""
ACCOUNT_PREFIX, ACCOUNTS = "system:serviceaccount:", "system:serviceaccounts"


@value
class Rule:
    """What one rule of a role grants: verbs on resources, or on paths that are no resources (`urls`)."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    """API groups; the core group is the empty text."""
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """`resourceNames`; empty means any object, and requests that name none."""
    urls: tuple[str, ...] = ()


@record
class Role:
    """A Role or ClusterRole. `sums` are the selectors of its `aggregationRule`; None when it has none."""

    meta: Meta
    rules: tuple[Rule, ...]
    sums: tuple[Selector, ...] | None = None
    built_in: bool = False
    """One of the objects that every API server makes itself, assumed because the input does not hold it."""

    @property
    def is_default(self) -> bool:
        """Whether the API server made it, be it read or assumed."""
        return self.meta.labels.get(DEFAULTS_LABEL[0]) == DEFAULTS_LABEL[1]

    @property
    def key(self) -> tuple[str, str | None, str]:
        """Kind, namespace (None for a ClusterRole) and name."""
        return self.meta.ref.kind, self.meta.ref.namespace, self.meta.name


@value
class Subject:
    """Whom a binding names: kind is User, Group or ServiceAccount. Only service accounts have a namespace."""

    kind: str
    name: str
    namespace: str = ""

    @property
    def user(self) -> str:
        """The user name that a service account has towards the API server."""
        return f"{ACCOUNT_PREFIX}{self.namespace}:{self.name}" if self.kind == "ServiceAccount" else self.name

    @property
    def words(self) -> str:
        """`ServiceAccount shop/web`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def __str__(self) -> str:
        """`ServiceAccount "web/shop"`, as the API server writes it: the name goes first."""
        return f'{self.kind} "{self.name}/{self.namespace}"' if self.kind == "ServiceAccount" else f'{self.kind} "{self.name}"'


@record
class Binding:
    """A RoleBinding or ClusterRoleBinding. Service accounts without a namespace have that of the binding."""

    meta: Meta
    role_kind: str
    role_name: str
    subjects: tuple[Subject, ...]
    built_in: bool = False

    @property
    def is_default(self) -> bool:
        """Whether the API server made it, be it read or assumed."""
        return self.meta.labels.get(DEFAULTS_LABEL[0]) == DEFAULTS_LABEL[1]

    @property
    def namespace(self) -> str | None:
        """Where it grants; None means everywhere."""
        return self.meta.ref.namespace

    @property
    def role_key(self) -> tuple[str, str | None, str]:
        """`Role.key` of the role that it grants."""
        return self.role_kind, None if self.role_kind == "ClusterRole" else self.namespace, self.role_name


@value
class ApiRequest:
    """What the API server asks its authorizers: who, which verb, on what. `path` is set for requests that are for no resource."""

    user: str
    groups: tuple[str, ...]
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    namespace: str = ""
    path: str | None = None

    @property
    def full_resource(self) -> str:
        """`pods` or `pods/log`, as rules write it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def subject_of(user: str) -> Subject:
    """How a binding names a user."""
    account = account_of(user)
    return Subject("ServiceAccount", account[1], account[0]) if account else Subject("User", user)


def groups_of(user: str) -> tuple[str, ...]:
    """The groups that a user name brings along: those of service accounts, of everybody known, or of nobody known."""
    if user == ANONYMOUS:
        return (UNAUTHENTICATED,)
    if account := account_of(user):
        return (ACCOUNTS, f"{ACCOUNTS}:{account[0]}", AUTHENTICATED)
    return (AUTHENTICATED,)


def account_of(user: str) -> tuple[str, str] | None:
    """(namespace, name) of a user name that is a service account's."""
    namespace, _, name = user.removeprefix(ACCOUNT_PREFIX).partition(":") if user.startswith(ACCOUNT_PREFIX) else ("", "", "")
    return (namespace, name) if namespace and name and ":" not in name else None


@record
class RbacObjects:
    """All roles and bindings that count; of objects with one name the last one."""

    roles: tuple[Role, ...]
    bindings: tuple[Binding, ...]
    refused: tuple[tuple[Meta, Path, str], ...] = ()
    """Objects that the API server refuses, with the field and the words: they grant nothing."""
