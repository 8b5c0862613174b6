"""Policies of network plugins and other meshes that nobody evaluates here: where one of them has a say, the answer is unknown.

Which ends they are about, and whether they may open what NetworkPolicies refuse, stands in `model/foreign_policies.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from meshcheck.decode.metadata import decode_selector
from meshcheck.model.core import Namespace, Workload
from meshcheck.model.foreign import Foreign
from meshcheck.model.foreign_policies import BOTH, CALLEE, CALLER, OUTSIDE, PLUGIN, ForeignKind
from meshcheck.model.network_policy import EGRESS
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import Mention
from meshcheck.semantics.network_policy.peers import Endpoint
from meshcheck.semantics.network_policy.side import Side

_ENDS = {BOTH: (CALLER, CALLEE, OUTSIDE), OUTSIDE: (OUTSIDE,), CALLER: (CALLER, OUTSIDE), CALLEE: (CALLEE,)}
_ASKS_FOR: Mapping[str, tuple[str, frozenset[str]]] = {
    "linkerd-proxy": ("linkerd.io/inject", frozenset(["enabled", "ingress"])),
    "kuma-sidecar": ("kuma.io/sidecar-injection", frozenset(["enabled", "true"])),
    "consul-dataplane": ("consul.hashicorp.com/connect-inject", frozenset(["true", "1"])),
}
"""Container → the label or annotation of pods and namespaces that asks for it, and its values."""


class OtherPolicy(NamedTuple):
    """A policy that is not evaluated, and what is known of its kind."""

    kind: ForeignKind
    policy: Foreign

    def __str__(self) -> str:
        return str(self.policy.meta.ref)


class Others:
    """Those of a World, found by the namespace of the pods that they are about."""

    def __init__(self, policies: Iterable[OtherPolicy] = ()) -> None:
        self._everywhere: list[OtherPolicy] = []
        self._by_namespace: dict[str, list[OtherPolicy]] = {}
        for item in policies:
            where = self._everywhere if item.kind.everywhere else self._by_namespace.setdefault(item.policy.meta.namespace, [])
            where.append(item)
        self._kept: dict[tuple[int, str, bool], tuple[OtherPolicy, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self._everywhere or self._by_namespace)

    def may_isolate(self, namespace: str, direction: str) -> bool:
        """Whether one of them may close a direction for some pod of a namespace."""
        ends = (CALLER, OUTSIDE) if direction == EGRESS else (CALLEE,)
        return any(set(_ENDS[item.kind.ends]) & set(ends) for item in self._near(namespace))

    def about(self, subject: Endpoint, direction: str, outside: bool = True, strict: bool = False) -> tuple[OtherPolicy, ...]:
        """Those that have a say about a direction of a pod. `outside`: of calls to what is no pod, too. `strict`: network plugins only."""
        key = id(subject.workload), direction, outside
        if key not in self._kept:
            self._kept[key] = tuple(self._find(subject, direction, outside))
        found = self._kept[key]
        return tuple(item for item in found if item.kind.enforcer == PLUGIN) if strict else found

    def weighed(self, side: Side, subject: Endpoint, peer: Endpoint, strict: bool) -> Side:
        """The answer of NetworkPolicies in the light of these: they may refuse what those allow, and some may allow what those refuse."""
        if side.allowed is None:
            return side
        found = self.about(subject, side.direction, not peer.is_pod, strict)
        if side.allowed is False:
            found = tuple(item for item in found if item.kind.opens)
        if not found:
            return side
        names = ", ".join(str(item) for item in found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
        decides = "decides" if len(found) == 1 else "decide"
        fact = f"what {names} {decides}: meshcheck does not evaluate {'it' if len(found) == 1 else 'them'}"
        mentions = tuple(Mention(item.policy.meta, side.direction, None, None, ("spec",)) for item in found)
        return Side(side.direction, None, (*mentions, *side.mentions), fact, fact)

    def _near(self, namespace: str) -> Iterator[OtherPolicy]:
        yield from self._by_namespace.get(namespace, ())
        yield from self._everywhere

    def _find(self, subject: Endpoint, direction: str, outside: bool) -> Iterator[OtherPolicy]:
        workload = subject.workload
        if workload is None:
            return
        end = CALLEE if direction != EGRESS else OUTSIDE if outside else CALLER
        for item in self._everywhere if subject.host else self._near(workload.namespace):
            if end not in _ENDS[item.kind.ends] or not _may_select(item.policy, workload):
                continue
            if item.kind.enforcer == PLUGIN or may_have(item.kind.enforcer, workload, subject.namespace):
                yield item


def may_have(container: str, workload: Workload, namespace: Namespace | None) -> bool:
    """Whether a pod may run with the proxy of another mesh."""
    if container in workload.containers:
        return True
    if workload.runs and workload.kind == "Pod":
        return False
    key, values = _ASKS_FOR[container]
    own = workload.pod_annotations.get(key) or workload.pod_labels.get(key)
    if own is not None:
        return own in values
    if namespace is None or namespace.meta is None:
        return True
    return (namespace.meta.annotations.get(key) or namespace.labels.get(key)) in values


def _may_select(policy: Foreign, workload: Workload) -> bool:
    """Whether a policy may be about a pod: its selector is read where it is a plain one, and the only one."""
    spec = policy.spec
    selector = spec.get("podSelector")
    if not isinstance(selector, dict) or spec.get("serviceAccountSelector") or spec.get("appliedTo"):
        return True
    return _matches(selector, workload)


def _matches(selector: Mapping[str, Any], workload: Workload) -> bool:
    try:
        return decode_selector(selector, ()).matches(workload.pod_labels)
    except (AttributeError, KeyError, TypeError, ValueError):
        return True  # somebody else's schema: what it means is not known
