"""The report as JSON, `meshcheck/test/v1`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from meshcheck.render.assertions.report import Judged, counts
from meshcheck.render.style import Style
from meshcheck.render.trace_command import trace_command


def render(judged: Sequence[Judged], _: Style) -> str:
    """The document as text."""
    out = {"schema": "meshcheck/test/v1", "summary": counts(judged), "tests": [_row(one) for one in judged]}
    return json.dumps(out, ensure_ascii=False, indent=2) + "\n"


def _row(one: Judged) -> dict[str, Any]:
    found = one.judgement
    return {
        "name": found.assertion.name,
        "file": one.file,
        "line": one.line,
        "outcome": found.outcome,
        "expect": found.assertion.expect,
        "why": found.why or None,
        "because": found.assertion.because or None,
        "pairs": found.pairs,
        "kinds": found.kinds,
        "seconds": round(found.seconds, 3),
        "examples": [
            {
                "verdict": example.verdict,
                "said": example.said,
                "requests": example.description,
                "callers": example.alike,
                "command": trace_command(example.question, one.sources),
            }
            for example in found.examples
        ],
    }
