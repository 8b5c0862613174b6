"""`-k` and `--helm`, through the real programs; and what is said where they are missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from meshcheck.cli.main import main

SHOP = Path(__file__).resolve().parents[3] / "manifests" / "scenarios" / "method-not-allowed" / "manifests.yaml"
CALL = ["--from", "shop/frontend", "--to", "http://cart.shop/api/items", "-X", "DELETE"]


@pytest.mark.skipif(
    not (shutil.which("kubectl") or shutil.which("kustomize")), reason="LOUD: no kubectl and no kustomize: `-k` was NOT run"
)
def test_kustomize(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(SHOP, tmp_path / "shop.yaml")
    (tmp_path / "kustomization.yaml").write_text("resources: [shop.yaml]\n")
    assert main(["trace", "-k", str(tmp_path), *CALL]) == 1
    assert "methods is GET, HEAD" in capsys.readouterr().out
    (tmp_path / "kustomization.yaml").write_text("resources: [nothing.yaml]\n")
    assert main(["trace", "-k", str(tmp_path), *CALL]) == 2
    assert "failed" in capsys.readouterr().err


@pytest.mark.skipif(not shutil.which("helm"), reason="LOUD: no helm: `--helm` was NOT run")
def test_helm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 0.1.0\n")
    (tmp_path / "templates").mkdir()
    text = SHOP.read_text().replace('["GET", "HEAD"]', "{{ .Values.methods | toJson }}")
    (tmp_path / "templates" / "shop.yaml").write_text(text)
    (tmp_path / "values.yaml").write_text("methods: [GET]\n")
    (tmp_path / "open.yaml").write_text("methods: [GET, DELETE]\n")
    assert main(["trace", "--helm", str(tmp_path), *CALL]) == 1
    assert main(["trace", "--helm", str(tmp_path), "--values", str(tmp_path / "open.yaml"), *CALL]) == 0
    capsys.readouterr()


def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    for option, program in (("-k", "kubectl"), ("--helm", "helm")):
        assert main(["trace", option, str(tmp_path), *CALL]) == 2
        assert f"`{program}`" in capsys.readouterr().err
