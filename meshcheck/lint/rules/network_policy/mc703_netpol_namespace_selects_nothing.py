"""A namespaceSelector of a NetworkPolicy matches no namespace.

## Finds

Peers whose `namespaceSelector` matches no namespace, where a namespace of the input has the value as its name (and lacks the label), or a
label that is nearly the one asked for.

## Why it matters

Namespaces have no label but `kubernetes.io/metadata.name` unless somebody sets it. A selector `name: monitoring` is the usual mistake: it
admits nobody.

## Avoid

```yaml
from: [{namespaceSelector: {matchLabels: {name: monitoring}}}]
```

## Prefer

```yaml
from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
```

## Exceptions

Labels that are set by hand, after the manifests.

## Silent when

The world is open; the labels of some namespace were not read; nothing in the input is like what the selector asks for: then the namespace
may be one that other manifests make; the name is one that every cluster has.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS, is_elsewhere, like, peers_of
from meshcheck.lint.repair import replacing
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.core import Requirement, Selector
from meshcheck.model.network_policy import NetworkPolicy, PodPeer
from meshcheck.model.trace import Fix
from meshcheck.semantics.world.names import nearest

_NAME = "kubernetes.io/metadata.name"


@rule("MC703", "netpol-namespace-selects-nothing", severity="warning", needs="absence", kinds=("Namespace",))
def check(evidence: Evidence) -> Iterator[Found]:
    """Peers without namespaces."""
    for policy in evidence.of("NetworkPolicy"):
        for direction in DIRECTIONS:
            for _, peer in peers_of(policy, direction):
                wanted = peer.namespaces if isinstance(peer, PodPeer) else None
                if wanted and wanted.requirements and not _matches(evidence, wanted):
                    yield from _finding(evidence, policy, wanted)


def _matches(evidence: Evidence, wanted: Selector) -> bool:
    """Whether any namespace is meant; each selector is asked once."""
    return evidence.once(
        ("namespaces like", like(wanted)), lambda: any(wanted.matches(n.labels) for n in evidence.world.namespaces.values())
    )


def _finding(evidence: Evidence, policy: NetworkPolicy, wanted: Selector) -> Iterator[Found]:
    namespaces = evidence.world.namespaces
    unread = any(n.meta is None for n in namespaces.values())
    for one in wanted.requirements:
        if (
            one.operator != "In"
            or any(is_elsewhere(evidence, v) for v in one.values if one.key == _NAME)
            or (unread and one.key != _NAME)
            or any(one.holds(n.labels) for n in namespaces.values())
        ):
            continue
        named = next((v for v in one.values if v in namespaces), None)
        near = None if named else _near(evidence, one)
        if named:
            words = f"no namespace has the label `{one.key}: {named}`: namespace `{named}` has its name as `{_NAME}` only"
            yield found(policy.meta, one.field, words, fix=_fix(policy, one, {_NAME: named}, named))
        elif near:
            words = f"no namespace has the label `{one.key}: {one.values[0]}`; did you mean `{near}`?"
            yield found(policy.meta, one.field, words, fix=_fix(policy, one, {one.key: near}, near))
        return


def _near(evidence: Evidence, one: Requirement) -> str | None:
    """The value of a label that is most like the one asked for."""
    known = sorted({n.labels[one.key] for n in evidence.world.namespaces.values() if one.key in n.labels})
    return evidence.once(("namespace label near", one.key, one.values[0]), lambda: nearest(one.values[0], known))


def _fix(policy: NetworkPolicy, one: Requirement, labels: dict[str, str], name: str) -> Fix | None:
    """Only where the selector is nothing but this label."""
    if "matchLabels" not in one.field:
        return None
    at = one.field[: one.field.index("matchLabels") + 1]
    return replacing(policy.meta, at, labels, f"select the namespace `{name}`", safe=False)
