"""`meshcheck job` on files: what is checked, what is written, and how it ends."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from meshcheck.cli.main import main
from meshcheck.job.time_limit import TimeLimit, TimeLimitError

SCENARIO = str(Path(__file__).resolve().parents[3] / "manifests" / "scenarios" / "method-not-allowed" / "manifests.yaml")
CALL = 'from: shop/frontend, to: "http://cart.shop/api/items"'


def job(tmp_path: Path, config: str, *words: str) -> tuple[int, dict[str, object]]:
    """(exit status, report) of a run on the scenario."""
    (tmp_path / "job.yaml").write_text(config)
    status = main(["job", "--config", str(tmp_path / "job.yaml"), "-f", SCENARIO, "--report-dir", str(tmp_path / "out"), *words])
    return status, json.loads((tmp_path / "out" / "report.json").read_text())


@pytest.mark.parametrize(
    ("questions", "status", "result"),
    [
        (f"{{{CALL}}}", 0, "passed"),
        (f"{{{CALL}, method: DELETE}}", 1, "failed"),
        (f"{{{CALL}, method: DELETE, expect: denied}}", 0, "passed"),
        (f"{{{CALL}, method: DELETE, expect: 403}}", 0, "passed"),
        (f"{{{CALL}, method: DELETE, expect: 404}}", 1, "failed"),
        (f"{{{CALL}, expect: denied}}", 1, "failed"),
        (f"{{{CALL}, expect: 200}}", 3, "unknown"),
        ('{from: shop/frontend, to: "http://other.example/", expect: unknown}', 0, "passed"),
        ('{from: shop/frontend, to: "http://other.example/"}', 3, "unknown"),
        ('{from: shop/nobody, to: "http://cart.shop/"}', 2, "error"),
    ],
)
def test_answers_against_what_is_wanted(tmp_path: Path, questions: str, status: int, result: str) -> None:
    found, report = job(tmp_path, f"checks: [{{questions: [{questions}]}}]")
    assert (found, report["result"]) == (status, result)


ASSERTIONS = """\
sources: [nowhere/]
tests:
- name: the frontend reads the cart
  from: shop/frontend
  to: shop/cart
  methods: [GET]
  paths: [/api/*]
  expect: allowed
- name: the frontend deletes
  because: a test
  from: shop/frontend
  to: shop/cart
  methods: [DELETE]
  expect: allowed
"""


def test_assertions_are_judged_on_what_was_seen(tmp_path: Path) -> None:
    """Those of a mounted ConfigMap once each; the counterexample is a call, and the sources for the desk are not asked."""
    mounted = tmp_path / "assertions"
    (mounted / "..data").mkdir(parents=True)
    (mounted / "..data" / "shop.meshcheck.yaml").write_text(ASSERTIONS)
    (mounted / "shop.meshcheck.yaml").symlink_to("..data/shop.meshcheck.yaml")
    status, report = job(tmp_path, "checks: [{name: who, test: assertions}]", "--closed-world")
    (check,) = report["checks"]  # type: ignore[misc]
    assert (status, check["result"]) == (1, "failed")
    reads, deletes = check["assertions"]
    assert (reads["result"], reads["detail"]) == ("passed", [])
    assert deletes["result"] == "failed"
    assert deletes["detail"][0] == "because: a test"
    assert deletes["detail"][1].startswith("shop/frontend → DELETE http://cart.shop")
    assert "denied (403) by AuthorizationPolicy shop/cart-viewer; expected allowed" in deletes["detail"][1]


def test_wrong_assertions_are_an_error_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.meshcheck.yaml").write_text("tests:\n- {name: x, from: shop/frontend, to: shop/cart, expect: maybe}\n")
    status, report = job(tmp_path, "checks: [{name: who, test: a.meshcheck.yaml}]")
    (check,) = report["checks"]  # type: ignore[misc]
    assert (status, check["result"]) == (2, "error")
    assert "a.meshcheck.yaml:2:" in check["message"]


def test_exit_zero_is_for_findings_not_for_failures(tmp_path: Path) -> None:
    assert job(tmp_path, f"checks: [{{questions: [{{{CALL}, method: PUT}}]}}]", "--exit-zero")[0] == 0
    assert job(tmp_path, 'checks: [{questions: [{from: shop/x, to: "http://cart.shop/"}]}]', "--exit-zero")[0] == 2


def test_a_check_that_cannot_be_carried_out_does_not_keep_the_others(tmp_path: Path) -> None:
    config = f"checks: [{{name: a, lint: {{select: [XY]}}}}, {{name: b, questions: [{{{CALL}}}]}}]"
    status, report = job(tmp_path, config)
    first, second = report["checks"]  # type: ignore[misc]
    assert (status, first["result"], second["result"]) == (2, "error", "passed")
    assert "begins with `XY`" in first["message"]


def test_a_report_that_does_not_arrive_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("")
    status = main(["job", "-f", SCENARIO, "--report-dir", str(tmp_path / "taken"), "--metrics-file", str(tmp_path / "m.prom")])
    out = capsys.readouterr()
    assert status == 2
    assert "cannot be written" in out.err
    assert out.out.startswith("# ✅ meshcheck"), "the other outputs get theirs"
    assert 'meshcheck_output_failures_total{output="directory"} 1.0' in (tmp_path / "m.prom").read_text()


def test_json_logs_are_one_object_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job(tmp_path, f"checks: [{{questions: [{{{CALL}, method: PUT}}]}}]", "--log-format", "json")
    out = capsys.readouterr()
    lines = [json.loads(line) for line in out.err.splitlines()]
    assert [line["message"] for line in lines] == ["check", "report", "done"]
    assert lines[1]["report"]["schema"] == "meshcheck/report/v1"
    assert out.out == ""


def test_tokens_and_headers_of_questions_are_never_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2VjcmV0"
    config = f'checks: [{{questions: [{{{CALL}, method: PUT, jwt: {secret}, headers: {{authorization: "Basic c2VjcmV0"}}}}]}}]'
    job(tmp_path, config, "--log-format", "json", "--metrics-file", str(tmp_path / "m.prom"))
    out = capsys.readouterr()
    written = out.out + out.err + "".join(p.read_text() for p in (*(tmp_path / "out").iterdir(), tmp_path / "m.prom"))
    assert "c2VjcmV0" not in written


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--report-configmap", "a/b"], "a report in a ConfigMap needs a cluster"),
        (["--events"], "events needs a cluster"),
        (["--watch"], "`--watch` needs a cluster"),
        (["--time-limit", "5"], "`--time-limit 5` is no duration"),
        (["--push", "http://user:word@push:9091"], "holds a password"),
    ],
)
def test_what_cannot_be_obeyed(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["job", "-f", SCENARIO, *words]) == 2
    assert told in capsys.readouterr().err


def test_the_time_limit_ends_a_block_and_leaves_nothing_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)
    limit = TimeLimit(0.05)
    with pytest.raises(TimeLimitError, match=r"0\.05 s"), limit.applied():
        _never_ends()
    with pytest.raises(TimeLimitError), limit.applied():  # not even entered once the time is over
        raise AssertionError
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    with TimeLimit(0).applied():
        time.sleep(0)


def test_a_pass_that_takes_too_long_says_which_checks_it_did_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check that hangs and those after it have no result; the report is there."""
    monkeypatch.setattr("meshcheck.job.questions.trace", _never_ends)
    config = f"checks: [{{name: a, lint: {{}}}}, {{name: b, questions: [{{{CALL}}}]}}, {{name: c, lint: {{}}}}]"
    status, report = job(tmp_path, config, "--time-limit", "2s")
    results = [(check["name"], check["result"]) for check in report["checks"]]  # type: ignore[attr-defined]
    assert (status, results) == (2, [("a", "passed"), ("b", "error"), ("c", "error")])
    assert report["checks"][1]["message"] == "not finished within the time limit of 2 s (`timeLimit`)"  # type: ignore[index]


def _never_ends(*_: object, **__: object) -> None:
    while True:
        pass
