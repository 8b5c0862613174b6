"""Fixes of the scenarios: each denied call has one that was checked, or stands in a table with the reason why not.

The fix is written into a copy of the manifests as `trace --fix` does, and the question is asked again.
"""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from meshcheck.cli.main import main
from tests.golden.test_scenarios import SCENARIOS

WITHOUT = {
    "certificate-in-the-wrong-namespace": "the Secret has to be made in the other namespace: keys are not copied by a program",
    "name-of-no-service": "the caller has to say the right name",
    "number-claim": "a claim that is a number matches nothing that can be written; the issuer has to send a text",
    "password-file-missing": "the Secret has to be made: nobody here knows the passwords",
    "plaintext-to-https": "the caller has to say https",
    "token-expired": "the caller has to get a new token",
    "token-not-verified-here": "the token is for no audience, and the issuer's keys are configured for the audience `cart` only",
    "token-required": "the caller has to send a token; a rule without it would be a way around it",
    "wrong-issuer": "only people know whether the other issuer is to be trusted, and where its keys are",
}
"""Denied scenarios without a fix, and why."""

HANGS_ON = {
    "custom-provider-missing": "what the external authorizer `opa-shop` answers",
    "two-authorizers": "what the external authorizer `oauth2-proxy` answers",
    "export-to-own-namespace": "what `api.payments.example.com` answers: it is outside the input",
    "https-to-an-unknown-host": "what `api.payments.example.com` answers: it is outside the input",
    "registry-only": "what `api.example.com` answers: it is outside the input",
}
"""Scenarios whose fix ends the refusal, and where what then happens lies outside the input."""

DENIED = [path for path in SCENARIOS if (path / "verdict.txt").read_text().startswith("denied")]


def ask(folder: Path, question: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *more: str) -> dict[str, Any]:
    """The trace of a question as JSON."""
    monkeypatch.chdir(folder)
    main(["trace", *shlex.split(question), "-o", "json", *more])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("scenario", DENIED, ids=lambda path: path.name)
def test_the_fix_turns_the_verdict(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written into the files, each fix lets the call through; what stood there is still there, but for what the fix changes."""
    question = (scenario / "question.txt").read_text()
    before = ask(scenario, question, capsys, monkeypatch)
    if scenario.name in WITHOUT:
        assert before["fixes"] == []
        return
    assert 1 <= len(before["fixes"]) <= 3
    assert before["fixes"][0]["verified"] is (scenario.name not in HANGS_ON)
    for number, fix in enumerate(before["fixes"], 1):
        copy = tmp_path / f"fix-{number}"
        copy.mkdir()
        shutil.copy(scenario / "manifests.yaml", copy)
        done = ask(copy, question, capsys, monkeypatch, f"--fix={number}")
        assert done["fixed"]["written"] == ["manifests.yaml"], fix
        after = ask(copy, question, capsys, monkeypatch)
        if fix["verified"]:
            assert after["verdict"] == "allowed", fix
        else:
            assert (after["verdict"], after["missing"][0]["fact"]) == ("unknown", HANGS_ON[scenario.name])
        _require_few_changes(scenario / "manifests.yaml", copy / "manifests.yaml", fix)


def _require_few_changes(old: Path, new: Path, fix: dict[str, Any]) -> None:
    """A patch takes lines away only where it replaces or removes something, and never more of them than it has steps or removes."""
    before, after = old.read_text().splitlines(), new.read_text().splitlines()
    gone = [line for line in before if line not in after]
    steps = [step for patch in fix["patches"] for step in patch["patch"]]
    removed = sum(10 if step["op"] == "remove" else 4 if isinstance(step.get("value"), dict) else 1 for step in steps)
    assert len(gone) <= removed, gone


def test_the_tables_name_scenarios() -> None:
    """Nearly all denied calls have a fix: what has none is listed, with the reason."""
    names = {path.name for path in DENIED}
    assert set(WITHOUT) | set(HANGS_ON) <= names
    assert len(WITHOUT) < len(names) / 10
