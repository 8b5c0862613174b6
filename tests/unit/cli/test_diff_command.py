"""`meshcheck diff`: sides, kinds of change, forms, exit statuses."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from meshcheck.cli.main import main
from tests.support.manifests import app, space, thing

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "meshcheck/data/schemas/diff.v1.json").read_text())
BASE = "---\n".join([space("shop"), app("shop", "web"), app("shop", "cron"), app("shop", "cart")])
GETS = thing(
    "security.istio.io/v1", "AuthorizationPolicy", "shop", "cart",
    "{selector: {matchLabels: {app: cart}}, rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}],"
    " to: [{operation: {methods: [GET]}}]}]}",
)  # fmt: skip
STRICT = thing("security.istio.io/v1", "PeerAuthentication", "shop", "all", "{mtls: {mode: STRICT}}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two empty sides."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    return tmp_path


def _sides(folder: Path, old: str, new: str) -> None:
    (folder / "old/a.yaml").write_text(old)
    (folder / "new/a.yaml").write_text(new)


def _diff(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = main(["diff", *arguments, "--closed-world", "-o", "json"])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(report, SCHEMA)
    return status, report


def _calls(report: dict[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(call["change"], call["to"], tuple(call["from"])) for call in report["calls"]]


def test_the_first_allow_policy_closes_all_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Requests of those it names are told apart by what it allows; lint says why."""
    _sides(folder, BASE, f"{BASE}---\n{GETS}")
    status, report = _diff(capsys, "old", "new")
    assert status == 1
    closed = {(call["to"], *call["from"]) for call in report["calls"] if call["change"] == "closes"}
    assert ("shop/cart:80", "shop/web") in closed
    assert any("shop/cron" in row for row in closed)
    assert not any(call["change"] == "opens" for call in report["calls"])
    web = next(call for call in report["calls"] if call["from"] == ["shop/web"] and call["change"] == "closes")
    assert web["question"]["method"] != "GET"
    assert web["new"]["symptom"]["status"] == 403
    assert [(row["object"]["kind"], row["change"]) for row in report["objects"]] == [("AuthorizationPolicy", "added")]


def test_examples_can_be_pasted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command of each change, with the sources of a side, ends as that side says."""
    _sides(folder, f"{BASE}---\n{GETS}", f"{BASE}---\n{GETS.replace('[GET]', '[GET, DELETE]')}")
    _, report = _diff(capsys, "old", "new")
    assert _calls(report) == [("opens", "shop/cart:80", ("shop/web",))]
    for call in report["calls"]:
        words = shlex.split(call["command"])[1:]
        assert words[1:3] == ["-f", "new"]
        assert (main(words), main([*words, "-f", "old"])) == (0, 1)  # the later source lies over the earlier one


def test_other_answers_and_what_does_not_matter(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Plaintext callers of a workload that becomes STRICT get a reset instead of a 403; labels of the object itself change no call."""
    plain = "---\n".join([BASE, app("plain", "old"), GETS])
    _sides(folder, plain, f"{plain}---\n{STRICT}")
    status, report = _diff(capsys, "old", "new", "--fail-on", "opens")
    assert (status, _calls(report)[-1]) == (0, ("answer", "shop/cart:80", ("plain/old",)))
    assert {kind for kind, target, _ in _calls(report) if target != "shop/cart:80"} == {"closes"}
    _sides(folder, plain, plain.replace("kind: AuthorizationPolicy\nmetadata: {", "kind: AuthorizationPolicy\nmetadata: {labels: {a: b}, "))
    status, report = _diff(capsys, "old", "new")
    assert (status, report["calls"], report["objects"][0]["fields"]) == (0, [], ["metadata.labels"])


def test_workloads_that_come_and_go(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Their calls are new, or gone; a side without them has no answer."""
    _sides(folder, BASE, f"{BASE}---\n{app('shop', 'new')}")
    _, report = _diff(capsys, "old", "new")
    assert {call["change"] for call in report["calls"]} == {"opens"}
    assert all(call["old"] is None for call in report["calls"])
    assert any(call["from"] == ["shop/new"] and call["to"] == "shop/cart:80" for call in report["calls"])


def test_revisions_of_git(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`REV..REV`, `REV..` for the work tree; a file that was not there then is no error."""

    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words], check=True, capture_output=True, cwd=folder)

    git("init", "-q")
    (folder / "old/a.yaml").write_text(f"{BASE}---\n{GETS}")
    git("add", "."), git("commit", "-qm", "one")
    (folder / "old/a.yaml").write_text(f"{BASE}---\n{GETS.replace('[GET]', '[GET, PUT]')}")
    git("commit", "-qam", "two")
    (folder / "old/b.yaml").write_text(STRICT)
    assert _calls(_diff(capsys, "HEAD~1..HEAD", "-f", "old")[1]) == [("opens", "shop/cart:80", ("shop/web",))]
    status, report = _diff(capsys, "HEAD..", "-f", "old", "--no-lint")
    assert [(row["object"]["kind"], row["change"]) for row in report["objects"]] == [("PeerAuthentication", "added")]
    assert (status, report["findings"]) == (0, None)
    assert main(["diff", "nothing..HEAD", "-f", "old"]) == 2
    assert "git knows no revision `nothing`" in capsys.readouterr().err


def test_files_over_something(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What applying them would change: the object of the same name is replaced, the rest stays."""
    (folder / "old/a.yaml").write_text(f"{BASE}---\n{GETS}")
    (folder / "b.yaml").write_text(GETS.replace("[GET]", "[GET, PUT]"))
    _, report = _diff(capsys, "--over", "old", "-f", "b.yaml")
    assert _calls(report) == [("opens", "shop/cart:80", ("shop/web",))]
    assert report["new"] == "old + b.yaml"
    assert [row["fields"] for row in report["objects"]] == [["spec.rules[0].to[0].operation.methods"]]
    assert report["findings"]["new"] == [], "an object that is laid over another is no duplicate"


def test_network_policies_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ports before and after, pods and addresses."""
    policy = thing("networking.k8s.io/v1", "NetworkPolicy", "shop", "cart", "{podSelector: {matchLabels: {app: cart}}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 8080}]}]}")  # fmt: skip  # noqa: E501
    _sides(folder, BASE, f"{BASE}---\n{policy}")
    status, report = _diff(capsys, "old", "new", "--layer", "network-policy")
    rows = {(row["from"], row["to"]): row for row in report["connections"]}
    assert (status, report["calls"]) == (1, [])
    assert rows["203.0.113.0/24", "shop/Deployment/cart"]["new"] == {"TCP": [[8080, 8080]]}
    assert rows["shop/Deployment/web", "shop/Deployment/cart"]["new"] == {}
    assert all(row["to"] == "shop/Deployment/cart" for row in report["connections"])


def test_forms_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text on standard output and Markdown in a file, in one run."""
    _sides(folder, f"{BASE}---\n{GETS}", f"{BASE}---\n{GETS.replace('[GET]', '[GET, DELETE]')}")
    assert main(["diff", "old", "new", "--closed-world", "-o", "text", "-o", "markdown=out.md"]) == 1
    out = capsys.readouterr().out
    assert "Newly allowed\n  + shop/web → shop/cart:80" in out
    assert out.rstrip().endswith("1 object differs; 1 newly allowed")
    written = (folder / "out.md").read_text()
    assert "```mermaid\nflowchart LR" in written
    assert "==>|opens|" in written
    assert "| shop/web | shop/cart:80 |" in written


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["old"], "two sides are needed"),
        (["old", "new", "-f", "x"], "`-f` goes with"),
        (["--over", "old"], "wants the files"),
        (["a..b"], "name them with `-f PATH`"),
        (["old", "missing"], "no such file or folder"),
    ],
)
def test_wrong_use_is_status_2(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    """With the next step."""
    _sides(folder, BASE, BASE)
    assert main(["diff", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_the_command_of_a_change_asks_the_new_side(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It can be pasted as it stands: with the sources, and with the world as closed as it was."""
    _sides(folder, BASE, f"{BASE}---\n{GETS}")
    _, report = _diff(capsys, "old", "new")
    assert report["calls"]
    for call in report["calls"]:
        words = shlex.split(call["command"])
        assert words[:5] == ["meshcheck", "trace", "-f", "new", "--closed-world"]
        assert main(words[1:]) == {"allowed": 0, "denied": 1, "unknown": 3}[call["new"]["verdict"]]
    capsys.readouterr()
