"""Kubernetes Events on calls that are refused and were not before (`events.k8s.io/v1`)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from meshcheck.model.report import Answer, Report

REASON, ACTION, CONTROLLER = "CallDenied", "Trace", "meshcheck.io/job"
_MOST_NOTE = 1024
"""Bytes of a note that the API server takes (kubernetes/kubernetes:pkg/apis/core/validation/events.go)."""
Denial = tuple[str, str]
"""(check, question)."""


def denials_of(written: Mapping[str, Any]) -> frozenset[Denial]:
    """The unwanted refusals of a report as it was written, of any version of meshcheck; what is no report holds none."""
    found = set()
    for check in _mappings(written.get("checks")):
        for answer in _mappings(check.get("questions")):
            if answer.get("verdict") == "denied" and answer.get("result") == "failed":
                found.add((str(check.get("name")), str(answer.get("id"))))
    return frozenset(found)


def denials(report: Report) -> frozenset[Denial]:
    """The unwanted refusals of a report."""
    return frozenset((check.name, answer.id) for check, answer in report.answers if answer.denied)


def new_events(report: Report, before: frozenset[Denial], namespace: str) -> Iterator[tuple[Denial, dict[str, Any]]]:
    """An Event for each unwanted refusal that was not there before.

    It is about the object that decides, and in its namespace, where `kubectl describe` finds it. What no object of a namespace decides is
    about `namespace`, the job's own.
    """
    for check, answer in report.answers:
        denial = check.name, answer.id
        if answer.denied and denial not in before:
            yield denial, _event(report, check.name, answer, namespace)


def _event(report: Report, check: str, answer: Answer, namespace: str) -> dict[str, Any]:
    decider = answer.decided_by
    if decider is not None and decider.namespace:
        about = {"apiVersion": decider.api_version, "kind": decider.kind, "namespace": decider.namespace, "name": decider.name}
        if answer.decider_uid:
            about["uid"] = answer.decider_uid
    else:
        about = {"apiVersion": "v1", "kind": "Namespace", "namespace": namespace, "name": namespace}
    name = hashlib.sha256("\0".join((check, answer.id, report.started)).encode()).hexdigest()[:16]
    note = f"{answer.call}: {answer.headline}" + (f"; {answer.causes[0]}" if answer.causes else "")
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"meshcheck.{name}", "namespace": about["namespace"], "labels": {"app.kubernetes.io/name": "meshcheck"}},
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": CONTROLLER,
        "reportingInstance": os.environ.get("HOSTNAME") or "meshcheck",
        "type": "Warning",
        "reason": REASON,
        "action": ACTION,
        "regarding": about,
        "note": _cut(note, _MOST_NOTE),
    }


def _cut(text: str, most: int) -> str:
    """A text of at most so many bytes."""
    raw = text.encode()
    return text if len(raw) <= most else raw[: most - 3].decode(errors="ignore") + "…"


def _mappings(found: object) -> Iterator[Mapping[str, Any]]:
    yield from (item for item in (found if isinstance(found, list) else ()) if isinstance(item, Mapping))
