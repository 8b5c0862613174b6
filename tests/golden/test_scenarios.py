"""The scenarios: each question gets the verdict that was written by hand, and the very text that stands beside it.

`expected.txt` follows the rendering: read the difference, then `MESHCHECK_UPDATE_GOLDEN=1 pytest tests/golden` rewrites it.
`verdict.txt` follows the data planes: it is never rewritten by a program.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from meshcheck.cli.main import main

FOLDER = Path(__file__).resolve().parents[2] / "manifests" / "scenarios"
SCENARIOS = sorted(path for path in FOLDER.iterdir() if path.is_dir())
STATUS = {"allowed": 0, "denied": 1, "unknown": 3}
SYMPTOMS = {
    "reset": "connection reset",
    "timeout": "timeout",
    "refused": "connection refused",
    "dns": "name resolution fails",
    "cors": "refused by the browser",
}
"""How the index calls what is no HTTP status."""


def ask(scenario: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *more: str) -> tuple[int, str]:
    """Exit status and standard output of a scenario's question."""
    monkeypatch.chdir(scenario)
    status = main(["trace", *shlex.split((scenario / "question.txt").read_text()), *more])
    out, err = capsys.readouterr()
    assert err == ""
    return status, out


def in_words(trace: dict[str, Any]) -> str:
    """A trace in the form of verdict.txt."""
    words = [trace["verdict"]]
    decided = trace["decided_by"]
    if trace["verdict"] == "denied":
        symptom = trace["symptom"]
        words += [symptom["kind"], *([str(symptom["status"])] if symptom["status"] else [])]
        if decided["policy_id"]:
            words.append(f"policy_id={decided['policy_id']}")
        if decided["object"]:
            name = "/".join(part for part in (decided["object"]["namespace"], decided["object"]["name"]) if part)
            words.append(f"object={decided['object']['kind']} {name}")
    return " ".join(words)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_verdict(scenario: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, out = ask(scenario, capsys, monkeypatch, "-o", "json")
    trace = json.loads(out)
    assert in_words(trace) == (scenario / "verdict.txt").read_text().strip()
    assert status == STATUS[trace["verdict"]]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_text(scenario: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    _, out = ask(scenario, capsys, monkeypatch)
    expected = scenario / "expected.txt"
    if os.environ.get("MESHCHECK_UPDATE_GOLDEN"):
        expected.write_text(out)
    assert out == expected.read_text()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_scenario_is_complete(scenario: Path) -> None:
    """Five files; the README is a title and one paragraph; the question is one line."""
    assert {path.name for path in scenario.iterdir()} == {"README.md", "manifests.yaml", "question.txt", "verdict.txt", "expected.txt"}
    title, blank, *paragraph = (scenario / "README.md").read_text().strip().split("\n")
    assert title.startswith("# ")
    assert blank == ""
    assert paragraph
    assert "" not in paragraph
    assert (scenario / "question.txt").read_text().count("\n") == 1


def test_index_lists_each_scenario_once_with_its_title_and_symptom() -> None:
    rows = re.findall(r"^\| \[(.+)\]\(([a-z-]+)/README\.md\) \| ([^|]+) \| [^|]+ \|$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert sorted(slug for _, slug, _ in rows) == [scenario.name for scenario in SCENARIOS]
    for title, slug, symptom in rows:
        assert (FOLDER / slug / "README.md").read_text().startswith(f"# {title}\n")
        verdict, kind, status = [*(FOLDER / slug / "verdict.txt").read_text().split(), "", ""][:3]
        if verdict == "denied":
            assert symptom == SYMPTOMS.get(kind, status), slug
        elif verdict == "allowed":
            assert symptom == "gets through", slug
        else:
            assert symptom in ("sometimes 403", "depends on the plugin", "depends on the address"), slug
