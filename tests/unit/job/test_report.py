"""Reports: their JSON fits its schema, and they fit where they go."""

from __future__ import annotations

import json
from importlib.resources import files

import jsonschema

from meshcheck.job.fit import CONFIG_MAP, fitted, written
from meshcheck.model.record import replace
from meshcheck.model.report import Gap, Judged, worst
from meshcheck.render.report_json import report_json
from meshcheck.render.report_markdown import report_markdown
from tests.unit.job.reports import finding, lint, passed, questions, refused, report

SCHEMA = jsonschema.Draft202012Validator(json.loads(files("meshcheck").joinpath("data", "schemas", "report.v1.json").read_text()))


def test_json_of_every_kind_of_check_fits_the_schema() -> None:
    judged = replace(lint(), kind="test", name="who", judged=(Judged("nobody else", "failed", ("shop/a → shop/b",)),))
    full = report(lint(finding(1)), questions(refused(), passed("p")), judged, gaps=(Gap("pods", "forbidden"),))
    content = json.loads(json.dumps(report_json(full)))
    SCHEMA.validate(content)
    assert content["result"] == "failed"
    assert content["checks"][1]["questions"][0]["decided_by"]["field"] == "spec.rules[0]"


def test_markdown_leads_with_what_is_wrong_and_leaves_out_what_passed() -> None:
    text = report_markdown(report(lint(), questions(refused(), passed("fine")), gaps=(Gap("AuthorizationPolicies", "forbidden"),)))
    assert text.startswith("# ❌ meshcheck: checks failed\n")
    assert "| calls | ❌ failed | 1 failed, 1 passed |" in text
    assert "- ❌ `delete` shop/frontend → DELETE http://cart.shop/" in text
    assert "fine" not in text
    assert "- AuthorizationPolicies: forbidden" in text


def test_words_from_the_cluster_cannot_change_the_markdown() -> None:
    """Names of checks and messages with tags, pipes and line breaks stay words."""
    nasty = replace(questions(replace(refused(), id="a`b\n# x", call="<img src=x>\n| a | b")), name="a|b\n# head")
    text = report_markdown(report(nasty))
    assert "<img" not in text
    assert "\n# head" not in text
    assert "\n| a |" not in text
    assert "a\\|b # head" in text


def test_the_worst_result_is_that_of_the_whole() -> None:
    assert worst(["passed", "unknown"]) == "unknown"
    assert worst(["unknown", "failed", "passed"]) == "failed"
    assert worst(["failed", "error"]) == "error"
    assert worst([]) == "passed"


def test_a_large_report_is_shortened_and_says_so() -> None:
    """The numbers stay, errors stay before warnings, refusals before what passed, and it fits with little room to spare."""
    many = [finding(n, "error" if n % 100 == 99 else "warning") for n in range(6000)]
    large = report(lint(*many), questions(*(passed(f"p{n}") for n in range(3000)), refused()))
    small = fitted(large)
    size = sum(len(text.encode()) for text in written(small))
    assert CONFIG_MAP * 0.98 < size < CONFIG_MAP
    assert small.truncated
    manifests, calls = small.checks
    assert dict(manifests.counts) == {"error": 60, "warning": 5940, "info": 0}
    assert sum(f.severity == "error" for f in manifests.findings) == 60
    assert len(manifests.findings) + manifests.omitted == 6000
    assert refused() in calls.answers
    assert dict(calls.counts)["passed"] == 3000
    assert small.result == "failed"
    SCHEMA.validate(report_json(small))
    assert f"… and {manifests.omitted} more" in report_markdown(small)


def test_a_small_report_is_left_alone() -> None:
    small = report(lint(finding(1)))
    assert fitted(small) is small
