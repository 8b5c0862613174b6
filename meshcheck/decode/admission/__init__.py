"""What a cluster would refuse: the API server with its CRDs, and Istio's webhook; and fields that no schema knows.

kinds.py        which kinds are known
table.py        tables of fields, and the checks that are made of them
words.py        how faults are said
the others      one family of kinds each: its table, and rules that look at several fields
istiod/         Istio's own validation, for objects that the API server accepts
"""

from __future__ import annotations

from typing import Any, Literal

from meshcheck.decode.admission.faults import REFUSED, UNKNOWN, Fault, cleaned
from meshcheck.decode.admission.kinds import find
from meshcheck.decode.admission.metadata import name_fault
from meshcheck.model.objects import Path
from meshcheck.model.record import value

Refuser = Literal["api-server", "istiod"]


@value
class Problem:
    """Something a cluster refuses, or (`refused_by` is None) drops, at a field of an object."""

    path: Path
    message: str
    refused_by: Refuser | None


def problems(value: dict[str, Any]) -> list[Problem]:
    """What is wrong with one object; nothing for kinds that are not known. Never raises."""
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        return [_refused(Fault((), "`apiVersion` and `kind` are required and must be text"), "api-server")]
    served = find(api_version, kind)
    if served is None:
        return []
    if isinstance(served, str):
        return [_refused(Fault(("apiVersion",), served), "api-server")]
    faults = served.check(value)
    found: list[Problem] = []
    if faults and any(fault.code != REFUSED for fault in faults):
        found = [Problem(fault.path, fault.message, None) for fault in faults if fault.code == UNKNOWN]
        value = cleaned(value, faults)
        faults = served.check(value)
    if not faults:
        faults = name_fault(value.get("metadata") or {}, served.kind.name, served.kind.namespaced)
    if faults:
        return [*(_refused(fault, "api-server") for fault in faults), *found]
    if served.webhook and (faults := served.webhook(value)):
        return [*(_refused(fault, "istiod") for fault in faults), *found]
    return found


def _refused(fault: Fault, by: Refuser) -> Problem:
    return Problem(fault.path, fault.message, by)


__all__ = ["Problem", "Refuser", "problems"]
