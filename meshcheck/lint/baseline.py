"""Findings that were there when lint was introduced: only what is new is reported.

A finding is known again by rule, object, field (without positions in lists) and message, so that moving lines does not make it new.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from meshcheck.errors import UsageError
from meshcheck.model.finding import Finding
from meshcheck.model.objects import dotted
from meshcheck.model.record import replace

SCHEMA = "meshcheck/baseline/v1"


def fingerprint(finding: Finding) -> str:
    """What stays the same of a finding when lines move: 16 hexadecimal digits."""
    field = re.sub(r"\[\d+\]", "[]", dotted(finding.field))
    parts = (finding.code, str(finding.object or (finding.place and finding.place.file) or ""), field, finding.message)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def baseline_json(findings: Iterable[Finding]) -> dict[str, Any]:
    """The baseline of some findings; one that somebody suppressed needs no entry."""
    entries = sorted((f.code, str(f.object or ""), dotted(f.field), fingerprint(f)) for f in findings if not f.suppressed)
    return {
        "schema": SCHEMA,
        "findings": [{"code": code, "object": about, "field": field, "fingerprint": print_} for code, about, field, print_ in entries],
    }


def known(values: Mapping[str, Any], where: str) -> Counter[str]:
    """Fingerprints of a baseline, with how often each occurs. Raises UsageError when it is none."""
    entries = values.get("findings")
    if values.get("schema") != SCHEMA or not isinstance(entries, list):
        raise UsageError(f"`{where}` is no baseline (`schema` is not `{SCHEMA}`); write one with `--write-baseline {where}`")
    return Counter(entry["fingerprint"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("fingerprint"), str))


def subtract(findings: Iterable[Finding], old: Counter[str]) -> tuple[tuple[Finding, ...], int]:
    """Findings with those of a baseline flagged, and the number of its entries that are no longer found."""
    left = Counter(old)
    out = []
    for finding in findings:
        key = fingerprint(finding)
        if not finding.suppressed and left[key] > 0:
            left[key] -= 1
            finding = replace(finding, suppressed=True, suppressed_by="baseline")
        out.append(finding)
    return tuple(out), sum(left.values())
