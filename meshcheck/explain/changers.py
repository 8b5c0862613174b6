"""Who may change the objects that took part in a trace, as the API server's RBAC has it.

RBAC only: what admission webhooks, Git or somebody with a way to the nodes may do is another question.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshcheck.model.api_resources import plural_of
from meshcheck.model.objects import Meta, ObjectRef
from meshcheck.model.rbac import MASTERS, ApiRequest, Binding, Subject
from meshcheck.model.record import record, value
from meshcheck.model.trace import Trace
from meshcheck.semantics.kubernetes_rbac.aggregation import GrantedRule
from meshcheck.semantics.kubernetes_rbac.permissions import Permissions
from meshcheck.semantics.kubernetes_rbac.who_can import who_can

VERBS = ("update", "patch", "delete")
_POLICIES = ("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication", "NetworkPolicy")
"""Kinds of which a new object changes a verdict, wherever it is made."""


@value
class Changer:
    """A subject, what it may do, and the binding and rule that let it; `binding` None for the masters of the cluster."""

    subject: Subject
    verbs: tuple[str, ...]
    binding: Binding | None
    granted: GrantedRule | None

    @property
    def of_kubernetes(self) -> bool:
        """Whether it is one of Kubernetes' own controllers or groups."""
        return self.binding is None or (
            self.binding.is_default and (self.subject.name.startswith("system:") or self.subject.namespace == "kube-system")
        )


@record
class Changeable:
    """An object of the trace (its `ref` has a name), or (without a name) new objects of its kind and namespace."""

    ref: ObjectRef
    meta: Meta | None
    changers: tuple[Changer, ...]


@record
class Changers:
    """The answer. `known` is False where the input holds no role or binding: then nobody can say."""

    objects: tuple[Changeable, ...]
    known: bool
    closed: bool


def changers_of(trace: Trace, permissions: Permissions, namespaces: Sequence[str], root: str) -> Changers:
    """Who may change what took part in a trace.

    A new policy would be looked at in the `namespaces` of the workloads on the way, and, if it is Istio's, in the `root` namespace.
    """
    places = [(kind, namespace) for namespace in dict.fromkeys((*namespaces, root)) for kind in _POLICIES]
    objects = [
        *(_changeable(permissions, meta.ref, meta, VERBS) for meta in objects_of(trace)),
        *(
            _changeable(permissions, ObjectRef(_API[kind], kind, namespace, ""), None, ("create",))
            for kind, namespace in places
            if kind != "NetworkPolicy" or namespace in namespaces
        ),
    ]
    roles, bindings = permissions.objects.roles, permissions.objects.bindings
    known = any(not role.built_in for role in roles) or any(not binding.built_in for binding in bindings)
    return Changers(tuple(objects), known or permissions.closed, permissions.closed)


_API = {kind: "networking.k8s.io/v1" if kind == "NetworkPolicy" else "security.istio.io/v1" for kind in _POLICIES}


def objects_of(trace: Trace) -> tuple[Meta, ...]:
    """The objects that stand at the stations of a trace, each once, in the order of the call."""
    stations = (station for hop in trace.hops for station in hop.stations)
    mentions = (m for station in stations for m in (*((station.decider,) if station.decider else ()), *station.policies))
    return tuple({mention.meta.ref: mention.meta for mention in mentions}.values())


def _changeable(permissions: Permissions, ref: ObjectRef, meta: Meta | None, verbs: Iterable[str]) -> Changeable:
    group = ref.api_version.rpartition("/")[0]
    found: dict[Subject, list[tuple[str, Binding | None, GrantedRule | None]]] = {}
    for verb in verbs:
        # A request to create names no object to RBAC.
        name = "" if verb == "create" else ref.name
        request = ApiRequest("", (), verb, group, plural_of(ref.kind.lower()), "", name, ref.namespace or "")
        for allowed in who_can(permissions, request):
            if allowed.subject.name != MASTERS:
                found.setdefault(allowed.subject, []).append((verb, allowed.binding, allowed.granted))
    changers = [Changer(subject, tuple(verb for verb, _, _ in rows), *rows[0][1:]) for subject, rows in found.items()]
    return Changeable(ref, meta, tuple(sorted(changers, key=lambda changer: changer.of_kubernetes)))
