"""What the commands print as JSON is what the schemas in the package say."""

from __future__ import annotations

import json
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
def test_answers_fit_their_schemas(manifests: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["--from", "shop/frontend", "--to", "http://cart.shop/api/items"]
    for name, words in (
        ("trace", ["trace", *call, "-X", "DELETE", "-o", "json"]),
        ("lint", ["lint", "-o", "json"]),
        ("graph", ["graph", "-o", "json"]),
    ):
        main([words[0], "-f", str(manifests), *words[1:]])
        schema(name).validate(json.loads(capsys.readouterr().out))


def test_brief_answers_fit_as_well(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    question = {"id": "q", "from": {"ip": "10.0.0.9"}, "to": {"url": "http://cart.shop/"}}
    (tmp_path / "b").write_text(json.dumps({"id": "w", "manifests": [str(SCENARIOS[0])], "questions": [question]}))
    main(["trace", "--batch", str(tmp_path / "b"), "--brief"])
    schema("trace").validate(json.loads(capsys.readouterr().out)["trace"])
