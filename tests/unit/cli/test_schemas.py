"""What the commands print as JSON is what the schemas in the package say."""

from __future__ import annotations

import json
import shlex
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from meshcheck.cli.main import main

SCENARIOS = sorted((Path(__file__).resolve().parents[3] / "manifests" / "scenarios").glob("*/manifests.yaml"))


def schema(name: str) -> jsonschema.Draft202012Validator:
    content = json.loads(files("meshcheck").joinpath("data", "schemas", f"{name}.v1.json").read_text())
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


@pytest.mark.parametrize("manifests", SCENARIOS, ids=lambda path: path.parent.name)
def test_answers_fit_their_schemas(manifests: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(manifests.parent)
    question = shlex.split((manifests.parent / "question.txt").read_text())
    for name, words in (("trace", question), ("lint", ["-f", "manifests.yaml"]), ("graph", ["-f", "manifests.yaml"])):
        main([name, *words, "-o", "json"])
        schema(name).validate(json.loads(capsys.readouterr().out))


def test_brief_answers_fit_as_well(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    question = {"id": "q", "from": {"ip": "10.0.0.9"}, "to": {"url": "http://cart.shop/"}}
    (tmp_path / "b").write_text(json.dumps({"id": "w", "manifests": [str(SCENARIOS[0])], "questions": [question]}))
    main(["trace", "--batch", str(tmp_path / "b"), "--brief"])
    schema("trace").validate(json.loads(capsys.readouterr().out)["trace"])
