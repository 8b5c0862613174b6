"""Whether a verdict and a real answer say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.differential.edge.calls import Answer

COMPARED = ("location", "access-control-allow-origin", "access-control-allow-credentials", "access-control-allow-methods")


def differs(trace: Mapping[str, Any], real: Answer, addresses: Mapping[str, str]) -> str | None:
    """What meshcheck says other than what happened; None when both agree or it does not know.

    `addresses` gives the workload behind each pod's address.
    """
    verdict, symptom = trace["verdict"], trace["symptom"] or {}
    if verdict == "unknown":
        return None
    kind, status = symptom.get("kind"), symptom.get("status")
    if verdict == "denied":
        expected = {"reset": (0,), "refused": (0,), "tls": (-1, 0, 400), "timeout": (-2,)}.get(kind or "", (status,))
        if real.pod or real.status not in expected:
            return f"denied with {kind} {status}"
        return _headers(symptom, real)
    if status is not None:
        return _headers(symptom, real) if real.status == status and not real.pod else f"answered by the proxy with {status}"
    reached = trace["reached"] or {}
    if not real.pod:
        return f"allowed to {reached.get('workload')}"
    if addresses.get(real.pod) != reached.get("workload"):
        return f"allowed to {reached.get('workload')}, not to {addresses.get(real.pod)}"
    return _headers(symptom, real)


def _headers(symptom: Mapping[str, Any], real: Answer) -> str | None:
    said = {name.lower(): value for name, value in (symptom.get("headers") or {}).items()}
    for name in COMPARED:
        there = real.headers.get(name)
        if name in said and said[name] != there:
            return f"{name} `{said[name]}`, not `{there}`"
        if name == "location" and there is not None and name not in said and not real.pod:
            return "no location"
    return None
