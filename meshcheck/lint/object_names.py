"""Names of objects that are not there: what may have been meant."""

from __future__ import annotations

from collections.abc import Iterable

from meshcheck.semantics.world.names import nearest


def meant(namespace: str, name: str, known: Iterable[tuple[str, str]]) -> str:
    """`; did you mean …` or `; it is in namespace …`, from the (namespace, name) of the objects that there are; else empty."""
    there = list(known)
    elsewhere = sorted(ns for ns, other in there if other == name)
    if elsewhere:
        return f"; it is in namespace `{elsewhere[0]}`"
    near = nearest(name, [other for ns, other in there if ns == namespace])
    return f"; did you mean `{near}`?" if near else ""
