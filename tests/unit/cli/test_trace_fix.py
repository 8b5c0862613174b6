"""`trace --fix` and `--diff`: what is written, what is only shown, and what is said where a text cannot be changed."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from meshcheck.cli.main import main

SHOP = Path(__file__).resolve().parents[3] / "manifests" / "scenarios" / "method-not-allowed" / "manifests.yaml"
CALL = ["--from", "shop/frontend", "--to", "http://cart.shop/api/items", "-X", "DELETE"]
OLD, NEW = '["GET", "HEAD"]', '["GET", "HEAD", "DELETE"]'


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(SHOP.read_text())
    return tmp_path / "shop.yaml"


def test_the_fix_is_written_and_the_status_says_so(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop.chmod(0o640)
    assert main(["trace", "-f", "shop.yaml", *CALL, "--fix"]) == 0
    assert "Wrote   shop.yaml" in capsys.readouterr().out
    assert shop.read_text() == SHOP.read_text().replace(OLD, NEW)
    assert stat.S_IMODE(shop.stat().st_mode) == 0o640
    assert [path.name for path in shop.parent.iterdir()] == ["shop.yaml"]
    assert main(["trace", "-f", "shop.yaml", *CALL, "--fix"]) == 0
    assert shop.read_text() == SHOP.read_text().replace(OLD, NEW)


def test_a_diff_writes_nothing_and_git_applies_it(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "-f", "shop.yaml", *CALL, "--diff"]) == 1
    out = capsys.readouterr().out
    assert shop.read_text() == SHOP.read_text()
    subprocess.run(["git", "apply", "-"], input=out, text=True, check=True, cwd=shop.parent)
    assert shop.read_text() == SHOP.read_text().replace(OLD, NEW)


def test_another_fix_and_one_that_there_is_not(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "-f", "shop.yaml", *CALL, "--fix=9"]) == 2
    assert "there are 3 fixes" in capsys.readouterr().err
    assert shop.read_text() == SHOP.read_text()
    assert main(["trace", "-f", "shop.yaml", *CALL, "--fix=3"]) == 0
    assert shop.read_text().startswith(SHOP.read_text())
    assert main(["trace", "-f", "shop.yaml", *CALL]) == 0


def test_json_says_what_was_written(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "-f", "shop.yaml", *CALL, "--fix", "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fixed"]["written"] == ["shop.yaml"]
    assert found["fixes"][0]["patches"][0]["patch"] == [{"op": "add", "path": "/spec/rules/0/to/0/operation/methods/-", "value": "DELETE"}]


def test_standard_input_cannot_be_written_and_gets_a_command(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(shop.read_bytes())))
    assert main(["trace", "-f", "-", *CALL, "--fix"]) == 1
    out = capsys.readouterr().out
    assert "it was read from standard input; change it with" in out
    assert "kubectl patch authorizationpolicy.v1.security.istio.io cart-viewer -n shop --type json -p" in out


def test_an_anchor_that_others_share_is_left_alone(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What an alias stands for is written out where it changes; what others repeat stays, and a command is printed instead."""
    documents = [d for d in yaml.safe_load_all(shop.read_text()) if d]
    listed = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": documents}, sort_keys=False)
    methods = "methods:\n          - GET\n          - HEAD"
    assert methods in listed
    shop.write_text("both: &both [GET, HEAD]\n" + listed.replace(methods, "methods: *both"))
    assert main(["trace", "-f", "shop.yaml", *CALL, "--fix"]) == 0
    assert shop.read_text() == "both: &both [GET, HEAD]\n" + listed.replace(methods, methods + "\n          - DELETE")
    shop.write_text(listed.replace(methods, "methods: &both [GET, HEAD]") + "other: *both\n")
    capsys.readouterr()
    assert main(["trace", "-f", "shop.yaml", *CALL, "--fix"]) == 1
    out = capsys.readouterr().out
    assert "`&both` is used again at line" in out
    assert "kubectl patch" in out


def test_encodings_links_and_line_ends_stay(shop: Path) -> None:
    """A file in UTF-16 with line ends of Windows, behind a link."""
    text = "\ufeff" + SHOP.read_text().replace("\n", "\r\n")
    real = shop.parent / "real.yaml"
    real.write_bytes(text.encode("utf-16-le"))
    shop.unlink()
    os.symlink("real.yaml", shop)
    assert main(["trace", "-f", "shop.yaml", *CALL, "--fix"]) == 0
    assert shop.is_symlink()
    assert real.read_bytes().decode("utf-16-le") == text.replace(OLD, NEW)


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("yaml", "- op: add\n            path: /spec/rules/0/to/0/operation/methods/-\n            value: DELETE"),
        ("json", '"path": "/spec/rules/0/to/0/operation/methods/-"'),
        ("kubectl", "kubectl patch authorizationpolicy.v1.security.istio.io cart-viewer -n shop --type json -p"),
        ("diff", '-        methods: ["GET", "HEAD"]'),
    ],
)
def test_patch_formats(form: str, shown: str, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "-f", "shop.yaml", *CALL, "--patch-format", form]) == 1
    assert shown in capsys.readouterr().out


def test_a_call_that_is_allowed_has_nothing_to_fix(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "-f", "shop.yaml", *CALL[:4], "--fix"]) == 0
    assert "Wrote" not in capsys.readouterr().out
    assert shop.read_text() == SHOP.read_text()
