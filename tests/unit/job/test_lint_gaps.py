"""Lint as a check of the job where a cluster did not let everything be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshcheck.cli.world import build_world
from meshcheck.job.lint import lint
from meshcheck.job.metrics import registry_of
from meshcheck.job.seen import Seen
from meshcheck.job.settings import LintCheck
from meshcheck.job.state import State
from meshcheck.load.read import Reading
from meshcheck.model.cluster_kinds import CALL, MESH_CONFIG, kinds_for
from meshcheck.model.coverage import Coverage, Gap
from meshcheck.model.record import replace
from meshcheck.model.report import CheckReport
from meshcheck.render.report_json import report_json
from meshcheck.render.report_markdown import report_markdown
from tests.support.injectors import injector
from tests.unit.job.reports import report

SCENARIO = Path(__file__).resolve().parents[3] / "manifests" / "scenarios" / "method-not-allowed" / "manifests.yaml"
HEADINGS = frozenset((*(kind.heading for kind in kinds_for(CALL) if kind.heading), MESH_CONFIG))
POLICIES = Gap("AuthorizationPolicy", "AuthorizationPolicy", None, "could not be listed: forbidden")


def check(lint_check: LintCheck, *gaps: Gap) -> CheckReport:
    reading = Reading()
    reading.add_path(str(SCENARIO))
    reading.add_values("injector", [injector()])
    unknown = {gap.kind for gap in gaps if gap.namespace is None and not gap.others}
    reading.documents = [d for d in reading.documents if d.value["kind"] not in unknown]
    reading.coverage = Coverage(HEADINGS, gaps)
    return lint(Seen(build_world(reading), reading, "a test", ()), lint_check)


@pytest.mark.parametrize(
    ("lint_check", "result"),
    [
        (LintCheck("a"), "unknown"),
        (LintCheck("a", allow_unknown=True), "passed"),
        (LintCheck("a", fail_on="never"), "passed"),
        (LintCheck("a", select=("MC902",)), "passed"),
        (LintCheck("a", select=("MC112",)), "unknown"),
        (LintCheck("a", select=("MC117",)), "passed"),  # a warning makes nothing fail
        (LintCheck("a", select=("MC117",), fail_on="warning"), "unknown"),
    ],
)
def test_passed_does_not_rest_on_what_was_not_read(lint_check: LintCheck, result: str) -> None:
    """Without the policies, rules about policies have not passed, as far as they could make the check fail; others have."""
    assert check(lint_check, POLICIES).result == result


def test_findings_are_findings_whatever_is_missing() -> None:
    """Gaps are findings of MC954: with `failOn: warning` the check fails on them."""
    assert check(LintCheck("a", fail_on="warning"), POLICIES).result == "failed"


def test_namespaces_that_nobody_asked_for_are_no_surprise() -> None:
    """The result is about those that were: it passes, and says what is beyond it."""
    elsewhere = [
        Gap(kind.kind, kind.heading, None, "were not read (other namespaces were asked for)", ("shop",), True, True)
        for kind in kinds_for(CALL)
        if kind.namespaced
    ]
    found = check(LintCheck("a"), *elsewhere)
    rules = dict(found.rules)
    assert found.result == "passed"
    assert rules["unjudged"] == 0
    assert rules["out_of_scope"] > 20
    assert f"{rules['out_of_scope']} rules would need namespaces that are not asked for" in found.message
    assert [f.severity for f in found.findings if f.code == "MC954"] == ["info"]


def test_everything_says_which_rules_and_why() -> None:
    found = check(LintCheck("a"), POLICIES)
    rules = dict(found.rules)
    assert sum(rules.values()) > 100
    assert 40 < rules["unjudged"] < sum(rules.values())
    assert found.message.startswith(f"{rules['unjudged']} rules could not be judged everywhere, without AuthorizationPolicy")
    shown = report(found)
    (written,) = report_json(shown)["checks"]
    (missing,) = written["unjudged"]
    assert missing["missing"] == "AuthorizationPolicies could not be listed: forbidden"
    assert {"MC112", "MC102"} <= set(missing["rules"])
    assert "MC902" not in missing["rules"]
    assert "❔ AuthorizationPolicy was not read, and so not judged by MC101" in report_markdown(shown)
    state = State()
    state.finished(replace(shown, gaps=()))
    registry = registry_of(state)
    for word, number in rules.items():
        assert registry.get_sample_value("meshcheck_lint_rules", {"check": "a", "state": word}) == number


def test_everything_that_was_read_is_judged() -> None:
    found = check(LintCheck("a"))
    assert (found.result, found.unjudged) == ("passed", ())
    assert dict(found.rules)["unjudged"] == 0
