"""What every form of the report is made of."""

from __future__ import annotations

from collections.abc import Callable

from meshcheck.analyse.changed_objects import ObjectChange
from meshcheck.analyse.classes import RequestClass
from meshcheck.analyse.connections import Changed
from meshcheck.analyse.difference import CallChange, Difference
from meshcheck.model.finding import Finding
from meshcheck.model.objects import Path, Place
from meshcheck.model.record import record
from meshcheck.render.trace_text import symptom_words

TITLES = {
    "opens": "Newly allowed",
    "closes": "No longer allowed",
    "unknown": "Known before or after only",
    "answer": "Refused in another way",
    "policy": "Decided by another rule",
}
MARKS = {"opens": "+", "closes": "-", "unknown": "?", "answer": "~", "policy": "="}
ABSENT = "not there"


@record
class DiffReport:
    """A comparison with what a form needs to show it."""

    old: str
    new: str
    """What was compared, as it was named."""
    objects: tuple[ObjectChange, ...]
    difference: Difference
    connections: tuple[Changed, ...] | None
    """Changes of what network policies let through; None where they were not asked about."""
    appeared: tuple[Finding, ...]
    vanished: tuple[Finding, ...]
    locate: Callable[[ObjectChange, Path], Place | None]
    linted: bool = True
    sources: tuple[str, ...] = ()
    """The options of `meshcheck trace` that name the new side, where it has any."""


def answer_words(one: RequestClass | None) -> str:
    """What becomes of requests: `allowed`, `403 RBAC: access denied`, `unknown`."""
    if one is None:
        return ABSENT
    if one.verdict == "unknown":
        return f"unknown ({one.missing[0].fact})" if one.missing else "unknown"
    if one.verdict == "allowed":
        return f"allowed, answered with {one.symptom.status}" if one.symptom.status else "allowed"
    return symptom_words(one.symptom)


def decider_words(one: RequestClass | None) -> str:
    """`AuthorizationPolicy shop/cart, rule 0`; empty where no object decides."""
    if one is None or one.policy is None:
        return ""
    rule = (one.policy_id or "").rpartition("-rule[")[2].rstrip("]")
    return f"{one.policy}, rule {rule}" if rule.isdigit() else str(one.policy)


def callers_words(change: CallChange, most: int = 4) -> str:
    """Names of callers, the first few."""
    shown = ", ".join(change.callers[:most])
    return f"{shown} and {len(change.callers) - most} more" if len(change.callers) > most else shown
