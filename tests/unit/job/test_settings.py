"""The configuration file: what it means, and what is said of a wrong one."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from meshcheck.cli.questions import question_of
from meshcheck.job.settings import LintCheck, QuestionCheck, Settings
from meshcheck.job.settings_file import SettingsError, SettingsFile
from meshcheck.load import exact_yaml

SCHEMA = jsonschema.Draft202012Validator(json.loads(files("meshcheck").joinpath("data", "schemas", "job.v1.json").read_text()))

FULL = """\
schema: meshcheck/job/v1
checks:
- name: manifests
  lint: {failOn: warning, select: [MC1, MC2], ignore: MC112}
- name: calls
  questions:
  - {id: q, from: shop/frontend, to: "http://cart.shop:8080/a", method: PUT, expect: denied}
  - {from: {external: true}, to: {url: "https://shop.example.com/"}, expect: 301}
namespaces: [shop]
report: {configMap: {namespace: meshcheck, name: report}, directory: /out, log: json}
metrics: {textfile: /m/meshcheck.prom, push: "http://push:9091", pushJob: mesh, serve: ":8080"}
events: true
timeLimit: 1m30s
watch: {debounce: 500ms, atLeastEvery: 1h}
"""
WRONG = (
    ("checks: []", "`checks` is empty"),
    ("checks: x", "`checks` must be a list, not `x`"),
    ("checks: [{}]", "must have one of lint, questions (or questionsFrom) and test"),
    ("checks: [null]", "`checks[0]` must be a mapping, not empty"),
    ("checks: [{lint: {}, test: a}]", "not lint and test"),
    ("checks: [{question: []}]", "did you mean `questions`?"),
    ("checks: [{lint: {failOn: eror}}]", "did you mean `error`?"),
    ("checks: [{lint: {select: [3]}}]", "`checks[0].lint.select[0]` must be a text, not `3`"),
    ("checks: [{lint: {select: {}}}]", "must be a list of texts"),
    ("checks: [{questions: [{from: a/b, to: 'http://c/', expect: maybe}]}]", "neither allowed, denied, unknown nor a status"),
    ("checks: [{questions: [{from: a/b, to: 'http://c/', expect: 99}]}]", "nor a status from 100 to 599"),
    ("checks: [{questions: [{from: a/b, to: 'http://c/', metod: GET}]}]", "did you mean `method`?"),
    ("checks: [{questions: [{from: a/b}]}]", "a question needs `from` and `to`"),
    ("timeLimit: 5", "must be a duration such as `90s`"),
    ("timeLimit: ''", "must be a duration"),
    ("events: 'yes'", "must be true or false, not `yes`"),
    ("report: {configMap: x}", "`report.configMap` must be a mapping"),
    ("report: {log: xml}", "none of summary, markdown, json, none"),
    ("metrics: {serv: ':1'}", "did you mean `serve`?"),
    ("schema: meshcheck/job/v2", "none of meshcheck/job/v1"),
    ("- a", "the file must be a mapping, not a list"),
)


def read(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "job.yaml").write_text(text)
    return SettingsFile(str(tmp_path / "job.yaml"), question_of).read()


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    settings = read(tmp_path, FULL)
    lint, calls = settings.checks
    assert lint == LintCheck("manifests", "warning", ("MC1", "MC2"), ("MC112",))
    assert isinstance(calls, QuestionCheck)
    assert [(asked.id, asked.expect) for asked in calls.asked] == [("q", "denied"), ("external → GET https://shop.example.com/", 301)]
    assert calls.asked[0].call == "shop/frontend → PUT http://cart.shop:8080/a"
    assert (settings.config_map, settings.directory, settings.log) == (("meshcheck", "report"), "/out", "json")
    assert (settings.textfile, settings.push, settings.push_job) == ("/m/meshcheck.prom", "http://push:9091", "mesh")
    assert settings.serve == ":8080"
    assert (settings.events, settings.time_limit, settings.debounce, settings.at_least_every) == (True, 90, 0.5, 3600)
    assert settings.namespaces == ("shop",)
    SCHEMA.validate(exact_yaml.read(FULL))


def test_an_empty_file_means_lint(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Settings()
    SCHEMA.validate(None)


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    """The schema refuses the same."""
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    assert told in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/job.yaml:1:")
    assert not SCHEMA.is_valid(exact_yaml.read(text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("checks: [{name: a, lint: {}}, {name: a, lint: {}}]", "two checks named `a`"),
        ("checks: [{questions: [{id: q, from: a/b, to: 'c/d:1'}, {id: q, from: a/b, to: 'c/d:2'}]}]", "two questions with the id `q`"),
        ("checks: [{questions: [{from: a/b, to: 'c/d:x'}]}]", "`x` is not a port"),
        ("checks: [{questionsFrom: gone.yaml}]", "gone.yaml`: no such file"),
        ("checks: [}", "job.yaml: line 1, column"),
    ],
)
def test_what_no_schema_can_see(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=r"job\.yaml") as caught:
        read(tmp_path, text)
    assert told in str(caught.value)


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, "timeLimit: 5\nevents: 1\nreport:\n  log: xml\n")
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert any(line.startswith(f"{tmp_path}/job.yaml:4:3: `report.log`") for line in lines)


def test_questions_of_a_mounted_config_map(tmp_path: Path) -> None:
    """The kubelet mounts each file as a link into a hidden folder: each question is there once, and a change of the target is seen."""
    mounted = tmp_path / "questions"
    (mounted / "..2026_01").mkdir(parents=True)
    (mounted / "..2026_01" / "a.yaml").write_text("- {id: one, from: a/b, to: 'c/d:1'}\n")
    (mounted / "..data").symlink_to("..2026_01")
    (mounted / "a.yaml").symlink_to("..data/a.yaml")
    (tmp_path / "job.yaml").write_text("checks: [{name: q, questionsFrom: questions}]")
    file = SettingsFile(str(tmp_path / "job.yaml"), question_of)
    (check,) = file.read().checks
    assert isinstance(check, QuestionCheck)
    assert [asked.id for asked in check.asked] == ["one"]
    before = file.digest()
    assert file.digest() == before
    (mounted / "..2026_01" / "a.yaml").write_text("questions: [{id: two, from: a/b, to: 'c/d:1'}]\n")
    assert file.digest() != before
    (check,) = file.read().checks
    assert isinstance(check, QuestionCheck)
    assert [asked.id for asked in check.asked] == ["two"]
