"""meshcheck refuses what a real kube-apiserver refuses, and accepts what it accepts (see api-validation/README.md)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from meshcheck.decode.admission import problems
from meshcheck.load.read import Reading
from meshcheck.model.objects import dotted
from tests.support.batch import read_lines

SUITE = Path(__file__).parent / "api-validation"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "vectors"
ABOUT_THE_REQUEST = {
    "np-meta-missing-namespace": "the namespace in the URL does not exist",
    "ap-meta-other-namespace": "the namespace in the URL is another one",
    "ap-v1beta1-at-v1": "the version in the URL is another one; kubectl, which takes the URL from the manifest, accepts it",
}
"""Refused for where the request was sent; nothing in the manifest is wrong, so nothing can be said about it."""
CASES = {case["id"]: case for case in read_lines(SUITE / "cases.jsonl")}
EXPECTED = {row["id"]: row for row in read_lines(SUITE / "expected.jsonl")}


def _read(text: str) -> Reading:
    reading = Reading(exact=True)
    reading.add_text("manifests", text)
    return reading


def _refusals(reading: Reading, by: tuple[str, ...] = ("api-server",)) -> list[str]:
    """What would be refused: documents that cannot be read, and fields."""
    found = [item.reason for item in reading.not_read if item.fatal]
    return found + [p.message for document in reading.documents for p in problems(document.value) if p.refused_by in by]


@pytest.mark.parametrize("case", sorted(EXPECTED))
def test_the_api_server_and_meshcheck_agree(case: str) -> None:
    """A manifest is refused exactly when the API server refuses it."""
    accepted = EXPECTED[case]["warn"]["code"] == 201
    refusals = _refusals(_read(CASES[case]["yaml"]))
    if case in ABOUT_THE_REQUEST:
        assert not refusals, ABOUT_THE_REQUEST[case]
    elif accepted:
        assert not refusals
    else:
        assert refusals, EXPECTED[case]["warn"]["message"]


@pytest.mark.parametrize("case", sorted(EXPECTED))
def test_what_is_dropped_or_said_twice_is_noted(case: str) -> None:
    """Each warning of the API server about unknown fields and duplicate keys has its note."""
    reading = _read(CASES[case]["yaml"])
    dropped = {p.path for document in reading.documents for p in problems(document.value) if p.refused_by is None}
    warnings = [w for w in EXPECTED[case]["warn"].get("warnings") or () if w.startswith("unknown field") or "already set" in w]
    assert len(dropped) + len(reading.duplicate_keys) == len(warnings), (dropped, reading.duplicate_keys, warnings)


def _causes(case: str) -> list[str]:
    """The fields that the API server complains about, as `spec.rules[0].to`; it writes keys of maps in brackets."""
    causes = EXPECTED[case]["warn"].get("causes") or ()
    return [re.sub(r"\[(\D[^]]*)\]", r".\1", c["field"]) for c in causes if c.get("field") not in (None, "", "<nil>")]


@pytest.mark.parametrize("case", [case for case in sorted(EXPECTED) if _causes(case)])
def test_the_field_is_one_that_the_api_server_names(case: str) -> None:
    """Some refusal is at, above or below a field that the API server complains about."""
    fields = [dotted(p.path) for document in _read(CASES[case]["yaml"]).documents for p in problems(document.value) if p.refused_by]
    fields = ["spec.clusterIPs[0]" if field == "spec.clusterIP" else field for field in fields]  # so the API server copies it
    related = [(one, other) for one in fields for other in _causes(case) if one.startswith(other) or other.startswith(one)]
    assert related, (fields, _causes(case))


@pytest.mark.parametrize("suite", ["npguard-bad", "nca-bad"])
def test_bad_input_of_other_tools_is_told_from_good(suite: str) -> None:
    """What the suites say must be refused is refused; what only looks bad is accepted."""
    folder = SHARED / suite
    if not folder.is_dir():
        pytest.skip(f"LOUD: no folder {folder}: the suite `{suite}` was NOT run")
    wrong = []
    for case in sorted(folder.iterdir()):
        checks: dict[str, Any] = json.loads((case / "checks.json").read_text())
        if checks["class"] in ("api-server", "valid", "unknown-field", "peer-only"):
            refusals = _refusals(_read((case / "manifests.yaml").read_text()), ("api-server", "istiod"))
            if bool(refusals) != checks["must_reject"]:
                wrong.append((case.name, refusals[:1]))
    assert not wrong
