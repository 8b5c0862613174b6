"""What is known in full, and what is not: of a World that was read kind by kind from a cluster or a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from meshcheck.model.api_resources import plural_of
from meshcheck.model.cluster_kinds import MESH_CONFIG
from meshcheck.model.record import record, value

NOT_READ = "were not read"


@value
class Gap:
    """Objects of one kind that are not known.

    `namespace`: None for all namespaces but those of `others`, and for kinds without namespaces.
    `reason`: the rest of a sentence of which the objects are the subject: `could not be listed: forbidden`.
    `heading`: that of the inventory; empty for kinds of which no answer depends.
    `chosen`: nobody asked for them (`-n`), so that they are no surprise; they are as unknown as the others.
    """

    kind: str
    heading: str
    namespace: str | None
    reason: str
    others: tuple[str, ...] = ()
    namespaced: bool = True
    chosen: bool = False

    def covers(self, namespace: str | None) -> bool:
        """Whether objects of a namespace are among the unknown ones; None asks for those of any namespace."""
        if namespace is None:
            return True
        return namespace not in self.others if self.namespace is None else self.namespace == namespace

    @property
    def what(self) -> str:
        """The kind, and the one namespace that is meant: `Pod`, `Pod in shop`."""
        return f"{self.kind} in {self.namespace}" if self.namespace else self.kind

    def fact(self, namespace: str | None = None) -> str:
        """The missing fact in words; for one namespace where that is all that was asked for."""
        if self.heading == MESH_CONFIG:
            return f"Istio's mesh config {self.reason}"
        many = plural_of(self.kind)
        if not self.namespaced:
            return f"{self.kind} {namespace} {self.reason}" if namespace is not None and self.others else f"{many} {self.reason}"
        found = namespace or self.namespace
        if found is not None:
            return f"{many} of namespace {found} {self.reason}"
        return f"{many} of namespaces other than {', '.join(self.others)} {self.reason}" if self.others else f"{many} {self.reason}"


@record
class Coverage:
    """`read`: headings of the inventory that were read at all. `named`: (heading, namespace, name) of objects looked for by their name."""

    read: frozenset[str]
    gaps: tuple[Gap, ...] = ()
    named: frozenset[tuple[str, str, str]] = frozenset()

    def complete(self, heading: str, namespace: str | None = None, name: str | None = None) -> bool:
        """Whether all objects under a heading are known: those of a namespace, or, without one, all.

        For kinds without namespaces `namespace` is the name of the one object that is asked about.
        """
        if name is not None and (heading, namespace or "", name) in self.named:
            return True
        return next(self.lacking(heading, namespace), None) is None

    def lacking(self, heading: str, namespace: str | None = None) -> Iterator[Gap]:
        """The gaps among the objects under a heading."""
        if heading not in self.read:
            yield Gap(heading, heading, None, NOT_READ)
            return
        for gap in self.gaps:
            if gap.heading == heading and gap.covers(namespace):
                yield gap

    def unread_secret(self, namespace: str, name: str) -> str:
        """Why nobody knows whether a Secret exists: the end of a fact."""
        gap = next((gap for gap in self.lacking("Secret", namespace) if gap.reason != NOT_READ), None)
        return f"it {gap.reason}" if gap is not None else f"Secrets are read by name only (`--read-secrets {namespace}/{name}`)"

    def as_json(self) -> dict[str, Any]:
        """The form that snapshots keep."""
        return {
            "read": sorted(self.read),
            "named": sorted(list(item) for item in self.named),
            "gaps": [
                {
                    "kind": gap.kind,
                    "heading": gap.heading,
                    "namespace": gap.namespace,
                    "reason": gap.reason,
                    "others": list(gap.others),
                    "namespaced": gap.namespaced,
                    **({"chosen": True} if gap.chosen else {}),
                }
                for gap in self.gaps
            ],
        }

    @staticmethod
    def from_json(written: dict[str, Any]) -> Coverage:
        """What `as_json` wrote; raises KeyError or TypeError for anything else."""
        return Coverage(
            frozenset(written["read"]),
            tuple(
                Gap(g["kind"], g["heading"], g["namespace"], g["reason"], tuple(g["others"]), g["namespaced"] is True, "chosen" in g)
                for g in written["gaps"]
            ),
            frozenset((a, b, c) for a, b, c in written["named"]),
        )


def whole(headings: Iterable[str]) -> Coverage:
    """The coverage of a cluster of which everything could be read."""
    return Coverage(frozenset(headings))
