"""A namespaceSelector and a podSelector stand in two list items: one or the other, not both.

## Finds

A peer with a `namespaceSelector` alone that is followed by a peer with a `podSelector` alone, where the second means no pod of the policy's
own namespace, as far as its pods were read.

## Why it matters

Items of `from` and `to` are alternatives. The first admits all pods of the namespace, and not only those that the second names; the second
is about the policy's own namespace. One dash decides.

## Avoid

```yaml
from:
- namespaceSelector: {matchLabels: {team: front}}
- podSelector: {matchLabels: {app: web}}
```

## Prefer

```yaml
from:
- namespaceSelector: {matchLabels: {team: front}}
  podSelector: {matchLabels: {app: web}}
```

## Exceptions

A whole namespace, and pods of the own one that come later: put the `podSelector` first, which cannot be misread.

## Silent when

A pod of the own namespace has the labels: then both may be meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.network_policies import DIRECTIONS, meant
from meshcheck.lint.rule import Found, found, rule
from meshcheck.model.network_policy import NetworkPolicy, PodPeer
from meshcheck.model.trace import Fix


@rule("MC706", "peer-and-or-confusion", severity="warning", needs="document", confidence="medium", audience="security")
def check(evidence: Evidence) -> Iterator[Found]:
    """Two peers that read like one."""
    for policy in evidence.of("NetworkPolicy"):
        for direction in DIRECTIONS:
            for one in policy.rules(direction) if direction in policy.directions else ():
                for first, second in pairwise(one.peers):
                    if isinstance(first, PodPeer) and isinstance(second, PodPeer) and _alike(first, second):
                        yield from _finding(evidence, policy, first, second)


def _finding(evidence: Evidence, policy: NetworkPolicy, first: PodPeer, second: PodPeer) -> Iterator[Found]:
    if not meant(evidence, policy, second):
        words = "these are two peers: the first admits every pod of the namespace, whatever its labels; "
        words += f"the second means pods of `{policy.meta.namespace}` only. Without this dash they are one"
        related = ("admits a whole namespace", policy.meta, first.field)
        yield found(policy.meta, second.field, words, related, fix=_fix(evidence, policy, first, second))


def _alike(first: PodPeer, second: PodPeer) -> bool:
    return bool(
        first.namespaces is not None and first.pods is None and second.namespaces is None and second.pods and second.pods.requirements
    )


def _fix(evidence: Evidence, policy: NetworkPolicy, first: PodPeer, second: PodPeer) -> Fix:
    value = evidence.raw(policy.meta)
    item: object = value
    for step in second.field:
        item = item[step]  # type: ignore[index]
    at = ["/" + "/".join(str(step) for step in peer.field) for peer in (first, second)]
    steps = (
        {"op": "add", "path": f"{at[0]}/podSelector", "value": item["podSelector"]},  # type: ignore[index]
        {"op": "remove", "path": at[1]},
    )
    return Fix("make it one peer: the pods of that namespace", ((policy.meta.ref, steps),), False)
