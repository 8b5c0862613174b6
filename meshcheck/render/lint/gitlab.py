"""GitLab's code quality report. Source: GitLab's documentation, "Code Quality report format"."""

from __future__ import annotations

import json
from collections import Counter

from meshcheck.lint.baseline import fingerprint
from meshcheck.render.lint.report import LintReport, message_of
from meshcheck.render.style import Style

_SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def render(report: LintReport, _: Style) -> str:
    """A list of issues. Fingerprints must differ: a finding that stands twice gets a number behind its own."""
    seen: Counter[str] = Counter()
    rows = []
    for finding in report.outcome.shown:
        mark = fingerprint(finding)
        seen[mark] += 1
        rows.append(
            {
                "description": f"{finding.object}: {message_of(finding)}" if finding.object else message_of(finding),
                "check_name": f"{finding.code} {finding.name}",
                "fingerprint": mark if seen[mark] == 1 else f"{mark}-{seen[mark]}",
                "severity": _SEVERITIES[finding.severity],
                "location": {
                    "path": finding.place.file if finding.place else "",
                    "lines": {"begin": max(1, finding.place.line) if finding.place else 1},
                },
            }
        )
    return json.dumps(rows, indent=2) + "\n"
