"""Names of objects that are not there: what may have been meant."""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.lint.evidence import Evidence
from meshcheck.semantics.world.names import nearest


def meant(namespace: str, name: str, known: Iterable[tuple[str, str]]) -> str:
    """`; did you mean …` or `; it is in namespace …`, from the (namespace, name) of the objects that there are; else empty."""
    there = list(known)
    elsewhere = sorted(ns for ns, other in there if other == name)
    if elsewhere:
        return f"; it is in namespace `{elsewhere[0]}`"
    near = nearest(name, [other for ns, other in there if ns == namespace])
    return f"; did you mean `{near}`?" if near else ""


def refused(evidence: Evidence, kind: str, group: str, namespace: str, name: str) -> str | None:
    """Why an object that was read is not there all the same: what the cluster says against it. None where nothing of the name was read."""

    def index() -> dict[tuple[str, str, str | None, str], str]:
        every = reversed(evidence.world.inventory.refused)
        return {(r.ref.kind, r.ref.api_version.partition("/")[0], r.ref.namespace, r.ref.name): r.message for r in every}

    return evidence.once("refused by name", index).get((kind, group, namespace, name))
