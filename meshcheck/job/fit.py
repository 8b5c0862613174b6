"""Makes a report small enough for where it goes: the numbers stay, the lists get shorter, what matters most stays longest."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from meshcheck.model.finding import SEVERITIES, Finding
from meshcheck.model.record import replace
from meshcheck.model.report import RESULTS, Answer, CheckReport, Judged, Report
from meshcheck.render.report_json import report_json
from meshcheck.render.report_markdown import report_markdown

Item = TypeVar("Item", Finding, Answer, Judged)
CONFIG_MAP = 1024 * 1024
"""Bytes of the keys and values of a ConfigMap that the API server takes (kubernetes/kubernetes:pkg/apis/core/validation, MaxSecretSize)."""
_KEYS = 64
"""Bytes that the names of the entries may take."""


def written(report: Report) -> tuple[str, str]:
    """(JSON, Markdown) of a report, each ending in a newline."""
    return json.dumps(report_json(report), ensure_ascii=False, separators=(",", ":")) + "\n", report_markdown(report)


def fitted(report: Report, most: int = CONFIG_MAP) -> Report:
    """The report with lists so short that its JSON and its Markdown together take at most so many bytes."""
    if _size(report) <= most - _KEYS:
        return report
    longest = max((len(check.items) for check in report.checks), default=0)
    low, high = 0, longest  # `low` items of each list fit, as far as anything does
    while high - low > 1:
        middle = (low + high) // 2
        if _size(shortened(report, middle)) <= most - _KEYS:
            low = middle
        else:
            high = middle
    return shortened(report, low)


def shortened(report: Report, most: int) -> Report:
    """The report with at most so many entries in each list."""
    return replace(report, truncated=True, checks=tuple(_shortened(check, most) for check in report.checks))


def _shortened(check: CheckReport, most: int) -> CheckReport:
    left_out = max(0, len(check.items) - most)
    return replace(
        check,
        findings=_first(check.findings, most, lambda finding: SEVERITIES.index(finding.severity)),
        answers=_first(check.answers, most, lambda answer: RESULTS.index(answer.result)),
        judged=_first(check.judged, most, lambda judged: RESULTS.index(judged.result)),
        omitted=check.omitted + left_out,
    )


def _first(items: Sequence[Item], most: int, rank: Callable[[Item], int]) -> tuple[Item, ...]:
    """The items that matter most, in the order in which they stand."""
    if len(items) <= most:
        return tuple(items)
    kept = sorted(sorted(range(len(items)), key=lambda number: rank(items[number]))[:most])
    return tuple(items[number] for number in kept)


def _size(report: Report) -> int:
    return sum(len(text.encode()) for text in written(report))
