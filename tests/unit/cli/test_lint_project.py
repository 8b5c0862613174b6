"""Settings, suppressions, baselines, several outputs: lint as a project uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

import pytest

from meshcheck.cli.main import main

STAR = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart, namespace: shop}
spec:
  rules:
  - to:
    - operation:
        paths: ["/api/*/items"]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project; settings of folders above are not looked for beyond `.git`."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _lint(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    status = main(["lint", "-f", "a.yaml", "--select", "MC213,MC952,MC953", *arguments, "-o", "json"])
    findings: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["findings"]
    return status, findings


def _codes(findings: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    return [(finding["code"], finding["suppressed"]) for finding in findings]


@pytest.mark.parametrize(
    "text",
    [
        STAR.replace('items"]', 'items"]   # meshcheck: ignore[MC213] a real star'),
        STAR.replace("        paths", "        # meshcheck: ignore[mc-213, MC101]: a real star\n        # and more words\n        paths"),
        "# meshcheck: ignore-file[mid-path-wildcard] a real star\n" + STAR,
        STAR.replace("namespace: shop}", 'namespace: shop, annotations: {meshcheck.io/ignore: "MC213: a real star"}}'),
    ],
    ids=["behind the line", "above the line", "for the file", "on the object"],
)
def test_a_mark_with_a_reason_suppresses(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """The finding stays in JSON, flagged, with the reason; the exit status is 0."""
    (folder / "a.yaml").write_text(text)
    status, findings = _lint(capsys)
    assert (status, _codes(findings)) == (0, [("MC213", True)])
    assert findings[0]["suppressed_by"].endswith(": a real star")


def test_a_mark_for_another_rule_or_line_suppresses_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the mark is reported as unused when its rule ran."""
    (folder / "a.yaml").write_text(STAR.replace("spec:", "spec:   # meshcheck: ignore[MC213] elsewhere"))
    status, findings = _lint(capsys)
    assert (status, _codes(findings)) == (1, [("MC952", False), ("MC213", False)])
    (folder / "a.yaml").write_text(STAR.replace('items"]', 'items"]   # meshcheck: ignore[MC101] another rule'))
    assert _codes(_lint(capsys)[1]) == [("MC213", False)], "MC101 did not run here, so nothing is known of its mark"


def test_reasons_can_be_required(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mark without one then counts for nothing, and is an error."""
    (folder / "a.yaml").write_text(STAR.replace('items"]', 'items"]   # meshcheck: ignore[MC213]'))
    assert _codes(_lint(capsys)[1]) == [("MC213", True), ("MC953", False)]
    (folder / "meshcheck.toml").write_text("[lint]\nrequire-reason = true\n")
    status, findings = _lint(capsys)
    assert (status, [(f["code"], f["severity"], f["suppressed"]) for f in findings]) == (
        1,
        [("MC213", "error", False), ("MC953", "error", False)],
    )


def test_settings_suppress_by_object_and_path(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Patterns of both must fit."""
    (folder / "a.yaml").write_text(STAR)
    entry = '[[tool.meshcheck.lint.suppress]]\ncode = "MC213"\nobject = "AuthorizationPolicy shop/*"\npath = "{}"\nreason = "old"\n'
    (folder / "pyproject.toml").write_text(entry.format("*.yaml"))
    assert _codes(_lint(capsys)[1]) == [("MC213", True)]
    (folder / "pyproject.toml").write_text(entry.format("b/*"))
    assert ("MC213", False) in _codes(_lint(capsys)[1])
    assert _codes(_lint(capsys, "--no-config")[1]) == [("MC213", False)]


def test_severities_and_thresholds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A project makes a rule milder, switches it off, or fails on less."""
    (folder / "a.yaml").write_text(STAR)
    (folder / "meshcheck.toml").write_text('[lint.severity]\nMC2 = "error"\nmid-path-wildcard = "info"\n')
    assert _lint(capsys)[0] == 0
    assert _lint(capsys, "--fail-on", "info")[0] == 1
    (folder / "meshcheck.toml").write_text('[lint.severity]\nMC213 = "off"\n')
    assert _lint(capsys)[1] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[lint]\nselct = []\n", "no setting `lint.selct`; did you mean `lint.select`?"),
        ('[lint]\nfail-on = "bad"\n', "must be one of error, warning, info, never"),
        ("[lint\n", "is not TOML"),
        ('[lint]\nignore = ["MC21x"]\n', "no rule `MC21x`"),
        ('[[lint.suppress]]\nreason = "x"\n', "each entry needs `code`"),
    ],
)
def test_wrong_settings_are_status_2(folder: Path, capsys: pytest.CaptureFixture[str], text: str, words: str) -> None:
    """With the key, and the nearest one that is known."""
    (folder / "a.yaml").write_text(STAR)
    (folder / "meshcheck.toml").write_text(text)
    assert main(["lint", "-f", "a.yaml"]) == 2
    assert words in capsys.readouterr().err


def test_a_baseline_hides_what_was_there_and_counts_what_is_gone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines may move; a second finding of the same kind is new."""
    (folder / "a.yaml").write_text(STAR)
    assert main(["lint", "-f", "a.yaml", "--write-baseline", "base.json"]) == 0
    capsys.readouterr()
    (folder / "a.yaml").write_text("# moved\n\n" + STAR)
    status, findings = _lint(capsys, "--baseline", "base.json")
    assert (status, _codes(findings)) == (0, [("MC213", True)])
    (folder / "a.yaml").write_text(STAR.replace('items"]', 'items", "/b/*/c"]'))
    status, findings = _lint(capsys, "--baseline", "base.json")
    assert (status, _codes(findings)) == (1, [("MC213", True), ("MC213", False)])
    (folder / "a.yaml").write_text(STAR.replace("/*", ""))
    assert main(["lint", "-f", "a.yaml", "--baseline", "base.json", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["stale_baseline_entries"] == 1
    assert main(["lint", "-f", "a.yaml", "--baseline", "a.yaml"]) == 2


HOST = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart, namespace: shop}
spec:
  rules:
  - to: [{operation: {hosts: [shop.example.com]}}]
"""


def test_findings_of_low_confidence_are_for_the_pedantic(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """MC219 has medium confidence, and its finding at an ALLOW for an outside host has low; asking for the rule by code shows it, too."""
    (folder / "a.yaml").write_text(HOST)

    def confidences(*arguments: str) -> list[str]:
        main(["lint", "-f", "a.yaml", "-o", "json", *arguments])
        return [finding["confidence"] for finding in json.loads(capsys.readouterr().out)["findings"]]

    assert confidences("--select", "MC2") == []
    assert confidences("--select", "MC2", "--pedantic") == ["low"]
    assert confidences("--select", "MC219") == ["low"]


def test_several_outputs_in_one_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files get theirs, standard output one; all of the same run."""
    (folder / "a.yaml").write_text(STAR)
    outputs = ["-o", "github", "-o", "junit=out/lint.xml", "-o", "gitlab=gl.json", "-o", "markdown=lint.md"]
    assert main(["lint", "-f", "a.yaml", "--select", "MC213", *outputs]) == 1
    assert capsys.readouterr().out.startswith("::error file=a.yaml,line=8,col=17,endLine=8,endColumn=31,title=MC213 mid-path-wildcard::")
    suite = xml.parse(folder / "out/lint.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite[0][0][0].tag) == ("1", "1", "failure")
    issue = json.loads((folder / "gl.json").read_text())[0]
    assert (issue["location"], issue["severity"]) == ({"path": "a.yaml", "lines": {"begin": 8}}, "major")
    assert "| MC213 mid-path-wildcard |" in (folder / "lint.md").read_text()
    assert main(["lint", "-f", "a.yaml", "-o", "text", "-o", "json"]) == 2
    assert "only one form" in capsys.readouterr().err
    assert main(["lint", "-f", "a.yaml", "-o", "jnuit"]) == 2
    assert "did you mean `junit`?" in capsys.readouterr().err


def test_text_underlines_the_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line as it was written, and what it is about."""
    (folder / "a.yaml").write_text(STAR)
    main(["lint", "-f", "a.yaml", "--select", "MC213"])
    lines = capsys.readouterr().out.splitlines()
    at = next(n for n, line in enumerate(lines) if "8 │" in line)
    start = lines[at].index('"/api')
    assert lines[at + 1].rstrip() == "      │ " + " " * (start - 8) + "^" * len('"/api/*/items"')


def test_text_shows_the_first_of_many_that_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The count is of all of them, and the short form lists them."""
    (folder / "a.yaml").write_text("---\n".join(STAR.replace("name: cart", f"name: cart-{n}") for n in range(9)))
    main(["lint", "-f", "a.yaml", "--select", "MC213"])
    out = capsys.readouterr().out
    assert out.count("error MC213") == 3
    assert "MC213 in 6 more places" in out
    assert "9 errors" in out
    main(["lint", "-f", "a.yaml", "--select", "MC213", "-o", "concise"])
    assert capsys.readouterr().out.count("error MC213") == 9


def test_explain_prints_pages(capsys: pytest.CaptureFixture[str]) -> None:
    """By code, in any spelling, or by name; a wrong one is told the nearest."""
    for word in ("MC213", "mc-213", "mid-path-wildcard"):
        assert main(["explain", word]) == 0
        assert capsys.readouterr().out.startswith("MC213 mid-path-wildcard\n")
    assert main(["explain", "mid-path-wildcart"]) == 2
    assert "did you mean `mid-path-wildcard`?" in capsys.readouterr().err
