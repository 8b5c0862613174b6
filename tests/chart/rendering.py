"""The chart as it is rendered, for the tests."""

from __future__ import annotations

import importlib.util
import subprocess
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "meshcheck"
VALUES = {"defaults": None, **{path.stem: path for path in sorted((Path(__file__).parent / "values").glob("*.yaml"))}}
"""Name → file of values."""


@cache
def generator() -> ModuleType:
    """manifests/install/generate.py, which is a script and no part of the package."""
    spec = importlib.util.spec_from_file_location("generate_install", ROOT / "manifests" / "install" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm; the test is skipped, loudly, where there is none."""
    program = generator().helm()
    if program is None:
        pytest.skip("LOUD: helm is not installed (go install helm.sh/helm/v3/cmd/helm@v3.22.0): the chart was NOT tested")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def template(*arguments: str, values: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`helm template` as release and namespace `meshcheck`."""
    named = ("--values", str(values)) if values else ()
    return helm("template", "meshcheck", str(CHART), "-n", "meshcheck", "--kube-version", generator().KUBERNETES, *named, *arguments)


@cache
def rendered(name: str = "defaults", *arguments: str) -> str:
    """What the chart makes of one file of values."""
    done = template(*arguments, values=VALUES[name])
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(text: str) -> list[dict[str, Any]]:
    """The objects of a rendered chart."""
    return [document for document in yaml.safe_load_all(text) if document]


def of(text: str, kind: str) -> list[dict[str, Any]]:
    """The objects of one kind."""
    return [item for item in objects(text) if item["kind"] == kind]


def pods(text: str) -> list[dict[str, Any]]:
    """The pod templates of all workloads."""
    found = []
    for item in objects(text):
        spec = item.get("spec") or {}
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            found.append(spec["template"])
    return found
