"""`meshcheck test`: files, sources, outputs, exit codes; the command of a counterexample gives the verdict that it shows."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from xml.etree import ElementTree as xml

import jsonschema
import pytest
import yaml

from meshcheck.cli.main import main

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "manifests" / "assertions"
SCHEMAS = ROOT / "meshcheck" / "data" / "schemas"
STATUS = {"allowed": 0, "denied": 1, "unknown": 3}


def schema(name: str) -> dict[str, object]:
    """One of the schemas of the package."""
    found: dict[str, object] = json.loads((SCHEMAS / name).read_text())
    return found


def write(folder: Path, text: str, name: str = "a.meshcheck.yaml") -> str:
    """A file of statements beside the manifests of the example."""
    (folder / "shop.yaml").write_text((EXAMPLE / "shop.yaml").read_text())
    (folder / name).write_text(text)
    return str(folder / name)


HOLDS = "sources: shop.yaml\nclosedWorld: true\ntests:\n- {from: shop/checkout, to: 'payments/cards:80', methods: DELETE, expect: denied}\n"
FAILS = HOLDS.replace("DELETE", "GET")
UNKNOWN = HOLDS.replace("'payments/cards:80'", "'http://www.example.org/'")


def test_the_example_file_is_valid() -> None:
    """By the schema of files of statements; and that schema refuses what the reader refuses."""
    content = yaml.safe_load((EXAMPLE / "shop.meshcheck.yaml").read_text())
    jsonschema.validate(content, schema("assertions.v1.json"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, "test": 1}, schema("assertions.v1.json"))


@pytest.mark.parametrize(
    ("text", "arguments", "status"),
    [(HOLDS, [], 0), (FAILS, [], 1), (UNKNOWN, [], 1), (UNKNOWN, ["--allow-unknown"], 0), (FAILS, ["--allow-unknown"], 1)],
)
def test_exit_codes(tmp_path: Path, text: str, arguments: list[str], status: int) -> None:
    """The same for every form of output."""
    path = write(tmp_path, text)
    for form in ("text", "json", "junit"):
        assert main(["test", path, "-o", form, *arguments]) == status


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tests: [", "a.meshcheck.yaml"),
        ("", "is empty"),
        ("tests: []", "holds no statement"),
        ("tests: 1", "must be a list"),
        ("tests: [1]", "must be a mapping"),
        (HOLDS.replace("expect", "expct"), "did you mean `expect`"),
        (HOLDS.replace("methods", "method"), "did you mean `methods`"),
        (HOLDS.replace("shop.yaml", "nothing.yaml"), "nothing.yaml"),
        (HOLDS.replace("'payments/cards:80'", "ftp://x/"), "not a URL"),
        (HOLDS.replace("DELETE", "GÖT"), "ASCII"),
    ],
)
def test_wrong_files(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    """Exit status 2, and what is wrong on standard error; never a traceback."""
    assert main(["test", write(tmp_path, text)]) == 2
    assert said in capsys.readouterr().err


def test_without_sources_the_cluster_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """And where there is none, that is wrong use."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    assert main(["test", write(tmp_path, HOLDS.replace("sources: shop.yaml\n", ""))]) == 2
    said = capsys.readouterr().err
    assert "nothing" in said or "meshcheck[cluster]" in said


def test_an_empty_folder_is_wrong_use(tmp_path: Path) -> None:
    """Nothing that was judged must not look like everything holds."""
    assert main(["test", str(tmp_path)]) == 2


def test_sources_of_the_command_line_go_before_those_of_the_file(tmp_path: Path) -> None:
    """So the same statements may be judged over rendered manifests."""
    path = write(tmp_path, HOLDS.replace("sources: shop.yaml", "sources: nothing.yaml"))
    assert main(["test", path, "-f", str(tmp_path / "shop.yaml")]) == 0


def test_several_outputs_in_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON by its schema, JUnit with a case for each statement, text on standard output."""
    report, cases = tmp_path / "r.json", tmp_path / "r.xml"
    assert main(["test", str(EXAMPLE), "-o", "text", "-o", f"json={report}", "-o", f"junit={cases}"]) == 1
    found = json.loads(report.read_text())
    jsonschema.validate(found, schema("test.v1.json"))
    assert found["summary"] == {"holds": 4, "fails": 1, "unknown": 0}
    suite = xml.fromstring(cases.read_text())
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "1", "0")
    assert "4 hold, 1 fail" in capsys.readouterr().out


def test_the_command_of_a_counterexample_gives_its_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever pastes it sees what the report says: for calls to Services, to pods, by strangers, in plaintext, from outside."""
    text = """
    sources: shop.yaml
    tests:
    - {from: any, to: payments/cards, expect: denied}
    - {from: workloads, to: payments/cards, headers: {x-a: b*}, expect: allowed}
    - {from: any, to: shop/web, token: true, expect: denied}
    - {from: external, to: 'http://shop.example.com/', expect: denied}
    - {from: stranger, to: shop/web, expect: allowed}
    """
    assert main(["test", write(tmp_path, text), "-o", "json"]) == 1
    examples = [example for test in json.loads(capsys.readouterr().out)["tests"] for example in test["examples"]]
    assert len(examples) > 8
    for example in examples:
        words = shlex.split(example["command"])
        assert words[:2] == ["meshcheck", "trace"]
        assert main(words[1:]) == STATUS[example["verdict"]], example


def test_a_port_that_no_service_has_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "sources: shop.yaml\nclosedWorld: true\ntests:\n- {from: shop/checkout, to: 'payments/cards:8081', expect: allowed}\n"
    assert main(["test", write(tmp_path, text)]) == 1
    assert "nothing can be called at `payments/cards:8081`; the ports of their Services: 80" in capsys.readouterr().out
