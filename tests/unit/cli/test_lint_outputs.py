"""Fixes of lint in files, and SARIF as a validator of its own sees it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from meshcheck.cli.main import main

ROOT = Path(__file__).resolve().parents[3]
VALIDATOR = Path(os.environ.get("MESHCHECK_SARIF_MULTITOOL", ROOT / "build/sarif/node_modules/.bin/sarif-multitool"))
POLICY = """\
# who may read
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart, namespace: shop}
spec:
  rules:
  - to:
    - operation:
        methods: [get, "post"]   # both
        paths: ["/api/*/items"]  # meshcheck: ignore[MC213] a star
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without settings."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "a.yaml").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_diff_shows_and_fix_writes_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`git apply` takes what `--diff` prints; comments and layout stay; what is suppressed is left alone."""
    assert main(["lint", "-f", "a.yaml", "--diff"]) == 1
    shown = capsys.readouterr().out
    assert (folder / "a.yaml").read_text() == POLICY
    wanted = POLICY.replace('[get, "post"]', '[GET, "POST"]')
    applied = subprocess.run(["git", "apply", "-"], check=False, input=shown.encode(), capture_output=True, cwd=_repository(folder))
    assert (applied.returncode, (folder / "a.yaml").read_text()) == (0, wanted), applied.stderr
    (folder / "a.yaml").write_text(POLICY)
    assert main(["lint", "-f", "a.yaml", "--fix"]) == 0
    assert (folder / "a.yaml").read_text() == wanted
    assert "2 fixes written: a.yaml" in capsys.readouterr().err
    assert main(["lint", "-f", "a.yaml", "--diff"]) == 0


def _repository(folder: Path) -> Path:
    (folder / ".git").rmdir()
    subprocess.run(["git", "init", "-q"], check=True, cwd=folder)
    return folder


def test_what_is_no_file_is_not_mended(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input cannot be written; the reason is said, and the findings stay."""
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(POLICY.encode())))
    assert main(["lint", "-f", "-", "--diff"]) == 0
    assert "is not mended: it was read from standard input" in capsys.readouterr().err


def _sarif(folder: Path, *arguments: str) -> dict[str, Any]:
    (folder / "b.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: x\n")
    assert main(["lint", "-f", "a.yaml", "-f", "b.yaml", *arguments, "-o", "sarif=out.sarif"]) == 1
    log: dict[str, Any] = json.loads((folder / "out.sarif").read_text())
    return log


def test_sarif_has_regions_suppressions_and_fixes(folder: Path) -> None:
    """The region is what is underlined in text; applying a fix's replacements gives what `--fix` writes."""
    run = _sarif(folder)["runs"][0]
    rows = {(r["ruleId"], r["locations"][0]["physicalLocation"]["region"]["startColumn"]): r for r in run["results"]}
    first = rows["MC210", 19]
    region = first["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 9, "startColumn": 19, "endLine": 9, "endColumn": 22}
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == "MC210"
    change = first["fixes"][0]["artifactChanges"][0]
    assert change["artifactLocation"]["uri"] == "a.yaml"
    lines = POLICY.splitlines(keepends=True)
    for edit in reversed(change["replacements"]):
        gone = edit["deletedRegion"]
        lines[gone["startLine"] - 1 : gone["endLine"] - 1] = [edit["insertedContent"]["text"]]
    assert "".join(lines) == POLICY.replace("[get,", "[GET,")
    star = next(r for r in run["results"] if r["ruleId"] == "MC213")
    assert star["suppressions"] == [{"kind": "inSource", "justification": "a star"}]
    assert run["invocations"][0]["toolExecutionNotifications"]


@pytest.mark.skipif(not VALIDATOR.exists(), reason=f"LOUD: no validator of SARIF at {VALIDATOR}: the log was NOT validated")
def test_sarif_is_valid(folder: Path) -> None:
    """Against the schema and the rules of the format, as its own tool checks them."""
    _sarif(folder)
    done = subprocess.run(
        [str(VALIDATOR), "validate", "out.sarif", "--output", "said.sarif", "--log", "ForceOverwrite"],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads((folder / "said.sarif").read_text())
    bad = [r["message"] for r in said["runs"][0].get("results", []) if r.get("level", "warning") == "error"]
    assert bad == []
