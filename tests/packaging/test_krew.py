"""krew's manifest: the rules of krew itself, and, where krew is there, an installation."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLATFORMS = [(system, arch) for system in ("linux", "darwin") for arch in ("amd64", "arm64")]


def _render(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "ci/krew/render.py"), "v0.1.0", str(folder)], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def manifest(tmp_path: Path) -> dict[str, Any]:
    for system, arch in PLATFORMS:
        (tmp_path / f"meshcheck-{system}-{arch}.tar.gz").write_bytes(f"{system} {arch}".encode())
    found: dict[str, Any] = yaml.safe_load(_render(tmp_path))
    return found


def test_rules_of_krew(manifest: dict[str, Any]) -> None:
    """kubernetes-sigs/krew:internal/index/validation/validate.go, cmd/validate-krew-manifest/main.go."""
    assert (manifest["apiVersion"], manifest["kind"]) == ("krew.googlecontainertools.github.com/v1alpha2", "Plugin")
    assert manifest["metadata"]["name"] == "meshcheck"
    spec = manifest["spec"]
    assert re.fullmatch(r"v\d+\.\d+\.\d+(-[\w.]+)?", spec["version"])
    assert spec["shortDescription"]
    assert len(spec["shortDescription"]) <= 70
    assert "\n" not in spec["shortDescription"]
    assert all(len(line) <= 80 for name in ("description", "caveats") for line in spec[name].splitlines())
    selectors = [tuple(platform["selector"]["matchLabels"].get(key) for key in ("os", "arch")) for platform in spec["platforms"]]
    assert sorted(selectors) == sorted(PLATFORMS)
    for platform in spec["platforms"]:
        assert set(platform) == {"selector", "uri", "sha256", "bin"}
        assert set(platform["selector"]["matchLabels"]) == {"os", "arch"}
        assert re.fullmatch(r"[a-f0-9]{64}", platform["sha256"])
        assert platform["uri"].startswith("https://")
        assert "v0.1.0" in platform["uri"]
    assert len({platform["sha256"] for platform in spec["platforms"]}) == len(PLATFORMS)


def test_a_platform_without_an_archive_is_left_out(tmp_path: Path) -> None:
    """A release for one platform has a manifest for one."""
    (tmp_path / "meshcheck-linux-amd64.tar.gz").write_bytes(b"x")
    assert len(yaml.safe_load(_render(tmp_path))["spec"]["platforms"]) == 1


@pytest.mark.skipif(
    not os.environ.get("MESHCHECK_PACKAGING"),
    reason="LOUD: builds an archive for four versions of Python, so it is NOT run here; MESHCHECK_PACKAGING=1 runs it, as .ci/run does",
)
def test_krew_installs_it(tmp_path: Path) -> None:
    """The archive of this platform, the manifest, the real krew and the real kubectl: `kubectl meshcheck` answers."""
    krew, kubectl = shutil.which("krew") or shutil.which("kubectl-krew"), shutil.which("kubectl")
    if krew is None or kubectl is None:
        pytest.skip(
            "LOUD: no krew or no kubectl on the PATH (`go install sigs.k8s.io/krew/cmd/krew@v0.4.3`): it was NOT installed with krew"
        )
    built = subprocess.run(
        [str(ROOT / "ci/krew/build.sh"), str(tmp_path)],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (tmp_path / "meshcheck.yaml").write_text(_render(tmp_path))
    environment = {**os.environ, "KREW_ROOT": str(tmp_path / "krew")}
    words = ["install", "--manifest", str(tmp_path / "meshcheck.yaml"), "--archive", built.stdout.strip()]
    done = subprocess.run([krew, *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    world = ROOT / "manifests/scenarios/method-not-allowed/manifests.yaml"
    ran = subprocess.run(
        [kubectl, "meshcheck", "why", "-f", str(world), "--from", "shop/frontend", "--to", "http://cart.shop/", "-X", "DELETE"],
        env={**environment, "PATH": f"{tmp_path}/krew/bin:/usr/bin:/bin", "MESHCHECK_PYTHON": sys.executable},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1, ran.stderr
    assert ran.stdout.startswith("✗ 403")
