"""What is said to users of a cluster, or of a snapshot of one, where users of files are shown their files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from meshcheck.cli.main import main

MANIFESTS = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: b}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: a, image: b, ports: [{containerPort: 8080}]}]}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {matchLabels: {app: cart}}, policyTypes: [Ingress]}
"""
CALL = ("--from", "shop/web", "--to", "http://cart.shop/", "--closed-world")


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text(MANIFESTS)
    assert main(["snapshot", "-f", "m.yaml", "-o", "plain.snapshot"]) == 0
    assert main(["snapshot", "-f", "m.yaml", "-o", "other.snapshot", "--redact", "key.json"]) == 0
    capsys.readouterr()
    return "plain.snapshot"


def test_a_fix_is_a_command(snapshot: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file is named, none is written, and the command can be pasted."""
    before = sorted(tmp_path.iterdir())
    assert main(["trace", "--snapshot", snapshot, *CALL, "--fix"]) == 1
    out = capsys.readouterr().out
    assert "at the end of" not in out
    assert "new in the cluster, with\n          kubectl apply -f - <<'EOF'\n" in out
    assert (
        "Not written NetworkPolicy shop/cart-from-web: it is for the cluster, and not for a file; the command above makes the change" in out
    )
    assert main(["trace", "--snapshot", snapshot, *CALL, "--diff"]) == 1
    assert "change it with\n    kubectl apply -f - <<'EOF'\n" in capsys.readouterr().out
    assert main(["trace", "--snapshot", snapshot, *CALL, "--fix", "-o", "json", "-o", "markdown=trace.md"]) == 1
    (left,) = json.loads(capsys.readouterr().out)["fixed"]["not_done"]
    assert left["command"][0] == "kubectl apply -f - <<'EOF'"
    assert sorted(path for path in tmp_path.iterdir() if path.name != "trace.md") == before
    assert "kubectl apply" in (tmp_path / "trace.md").read_text()


def test_a_change_of_a_policy_is_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`kubectl patch` names the object; of a file the same fix is a diff."""
    monkeypatch.chdir(tmp_path)
    wrong = MANIFESTS.replace(
        "policyTypes: [Ingress]}", "policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: wbe}}}]}]}"
    )
    (tmp_path / "m.yaml").write_text(wrong)
    assert main(["snapshot", "-f", "m.yaml", "-o", "s.snapshot"]) == 0
    capsys.readouterr()
    assert main(["trace", "--snapshot", "s.snapshot", *CALL]) == 1
    out = capsys.readouterr().out
    assert "NetworkPolicy shop/closed in the cluster, with" in out
    assert "kubectl patch networkpolicy.v1.networking.k8s.io closed -n shop --type json -p " in out
    assert "the text is not changed" not in out


@pytest.mark.parametrize(
    "command", [("trace", *CALL), ("trace", "--from", "10.1.1.1", "--to", "http://cart.shop/"), ("graph", "--focus", "shop")]
)
def test_names_of_a_redacted_snapshot(command: tuple[str, ...], snapshot: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Real names are not found in it: that, and where they stand, is said."""
    assert main([*command, "--snapshot", "other.snapshot"]) in (2, 3)
    said = "".join(capsys.readouterr())
    assert "names in `other.snapshot` are replaced (`--redact`): its key file tells which name stands for which" in said
    assert main(["snapshot", "--snapshot", "other.snapshot", "-o", "again.snapshot"]) == 0
    capsys.readouterr()
    main([*command, "--snapshot", "again.snapshot"])
    assert "names in `again.snapshot` are replaced" in "".join(capsys.readouterr()), "a snapshot of it is one as well"


@pytest.mark.parametrize(
    ("option", "raw", "said"),
    [
        ("--snapshot", b"kind: List\n", "`it` is no snapshot: `meshcheck snapshot` writes them; manifests are read with `-f`"),
        ("--snapshot", gzip.compress(b"hello\n"), "`it`: not a snapshot of meshcheck"),
        ("-f", gzip.compress(b"{}\n"), "it is compressed: a snapshot is named with `--snapshot`"),
    ],
)
def test_files_of_another_kind(
    option: str, raw: bytes, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the file is, and which option reads it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "it").write_bytes(raw)
    assert main(["lint", option, "it"]) == 2
    assert said in capsys.readouterr().err
    assert main(["lint", "--snapshot", "absent"]) == 2
    assert "`absent`: no such file or directory" in capsys.readouterr().err


def test_a_resource_that_nobody_knows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is about it as it is written, and says so."""
    (tmp_path / "m.yaml").write_text(MANIFESTS)
    assert main(["can", "-f", str(tmp_path / "m.yaml"), "--closed-world", "--as", "bob", "list", "podz"]) == 1
    assert (
        "no resource `podz` is known here: it is taken for one of the core group, as it is written; did you mean `pods`?"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("words", "forms"),
    [
        (("trace", *CALL), ("text", "json", "jsonl", "markdown")),
        (("graph",), ("text", "json", "graphml", "dot", "mermaid")),
        (("graph", "--exposed"), ("text", "json")),
        (("lint",), ("text", "sarif", "junit")),
        (("can", "--as", "bob", "list", "pods"), ("text", "json", "jsonl", "markdown")),
        (("who-can", "list", "pods"), ("text", "json", "jsonl")),
    ],
)
def test_forms_into_files(words: tuple[str, ...], forms: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All forms in one run are those of a run each; nothing is printed where everything goes to files, and the status stays."""
    (tmp_path / "m.yaml").write_text(MANIFESTS)
    source = ("-f", str(tmp_path / "m.yaml"))
    alone = {}
    for form in forms:
        status = main([*words, *source, "-o", form])
        alone[form] = capsys.readouterr().out
    assert main([*words, *source, *(word for form in forms for word in ("-o", f"{form}={tmp_path}/out/{form}"))]) == status
    assert capsys.readouterr().out == ""
    for form, text in alone.items():
        assert (tmp_path / "out" / form).read_text() == text
    assert main([*words, *source, "-o", forms[0], "-o", forms[1]]) == 2
    assert "only one form can go to standard output" in capsys.readouterr().err
