"""`meshcheck lint`: exit statuses, places, forms of output, batches."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from meshcheck.cli.main import main

GOOD = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\n"
BAD = "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  name: a\nspec:\n  ports:\n  - port: 0\n    foo: 1\n"
BROKEN = "apiVersion: v1\nkind: Service\nmetadata:\n\t{name: a}\n"


def _lint(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = main(["lint", *arguments])
    return status, capsys.readouterr().out


def _json(capsys: pytest.CaptureFixture[str], folder: Path, text: str) -> tuple[int, dict[str, Any]]:
    (folder / "a.yaml").write_text(text)
    status, out = _lint(capsys, "-f", str(folder), "-o", "json")
    return status, json.loads(out)


def test_a_clean_folder_is_status_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing found, and how much was read."""
    status, report = _json(capsys, tmp_path, GOOD)
    assert (status, report["schema"], report["findings"]) == (0, "meshcheck/lint/v1", [])
    assert report["read"] == {"files": 1, "documents": 1, "objects": 1}


def test_findings_have_places_and_refusals_make_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused fields, dropped fields and duplicate keys, in the order of lines."""
    status, report = _json(capsys, tmp_path, BAD)
    assert status == 1
    found = [(f["code"], f["severity"], f["refused_by"], f["field"], f["place"]["line"], f["place"]["column"]) for f in report["findings"]]
    assert found == [
        ("MC123", "warning", None, "", 5, 1),
        ("MC101", "error", "api-server", "spec.ports[0].port", 8, 5),
        ("MC956", "warning", None, "spec.ports[0].foo", 9, 5),
    ]
    assert report["findings"][1]["object"] == {"apiVersion": "v1", "kind": "Service", "namespace": None, "name": "a"}


def test_notes_alone_are_status_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dropped field is a warning."""
    status, report = _json(capsys, tmp_path, GOOD + "foo: 1\n")
    assert (status, [f["name"] for f in report["findings"]]) == (0, ["unknown-field"])


def test_one_broken_document_does_not_hide_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a finding, and listed as not read."""
    status, report = _json(capsys, tmp_path, f"{GOOD}---\n{BROKEN}")
    assert (status, [f["name"] for f in report["findings"]]) == (1, ["unparsed-document"])
    assert report["not_read"][0]["place"]["line"] == 8
    assert report["read"]["objects"] == 1


def test_nothing_readable_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the place and the reason on standard error."""
    (tmp_path / "a.yaml").write_text(BROKEN)
    assert main(["lint", "-f", str(tmp_path)]) == 2
    assert "a.yaml:4" in capsys.readouterr().err


def test_concise_has_a_line_for_each_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Place, severity, code, object, field, words, and who refuses."""
    (tmp_path / "a.yaml").write_text(BAD)
    status, out = _lint(capsys, "-f", str(tmp_path / "a.yaml"), "-o", "concise")
    line = out.splitlines()[1]
    assert status == 1
    assert "a.yaml:8:5  error MC101 schema-violation  Service a spec.ports[0].port: must be between 1 and 65535" in line
    assert line.endswith("(the API server refuses it)")
    assert "\n1 error, 2 warnings; 1 object in 1 file; " in out


def test_a_batch_goes_on_after_bad_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line has its answer, in order."""
    batch = tmp_path / "batch.jsonl"
    lines = [
        '{"id": "a", "manifests": ',
        json.dumps({"id": "b", "manifests": BROKEN}),
        json.dumps({"id": "c", "manifests": BAD}),
        '{"id": "d"}',
        "5",
    ]
    batch.write_text("\n".join(lines) + "\n")
    status, out = _lint(capsys, "--batch", str(batch), "-o", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 2
    assert [row["id"] for row in rows] == [None, "b", "c", "d", None]
    assert ["error" in row for row in rows] == [True, True, False, True, True]
    assert rows[1]["error"]["problems"][0]["place"]["line"] == 4
    assert rows[2]["lint"]["findings"][1]["refused_by"] == "api-server"


def test_a_batch_takes_paths_and_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`manifests` may be a list of paths; `-` is standard input."""
    (tmp_path / "a.yaml").write_text(GOOD)
    line = json.dumps({"id": 1, "manifests": [str(tmp_path / "a.yaml")]}) + "\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(line.encode())))
    status, out = _lint(capsys, "--batch", "-")
    assert (status, json.loads(out)["lint"]["findings"]) == (0, [])


@pytest.mark.parametrize("arguments", [["-o", "jsonl", "-f", "x"], ["--batch", "x", "-o", "json"], ["-f", "/nowhere"], []])
def test_wrong_use_is_status_2(arguments: list[str]) -> None:
    """Said in one line, without a traceback."""
    assert main(["lint", *arguments]) == 2
