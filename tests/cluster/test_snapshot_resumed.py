"""A snapshot that fails goes on where it was: the same objects as without the failure, never a secret, never two clusters in one file."""

from __future__ import annotations

import gzip
import json
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshcheck.cli.main import main
from tests.cluster.contents import put, put_text
from tests.cluster.faulty import Faulty
from tests.cluster.test_restricted_users import CALL_WORDS, DENY, WORLD
from tests.cluster.test_snapshot import HIDDEN, SECRETS
from tests.support.apiserver import ApiServer

FIRST = "/api/v1/pods"
LATE = "istio.io"
"""In the paths of kinds that are listed after those of Kubernetes."""


@pytest.fixture
def filled(server: ApiServer) -> ApiServer:
    put_text(server, WORLD + "---\n" + DENY)
    put(server, [d for d in yaml.safe_load_all(SECRETS) if d])
    return server


def refuse(path: str) -> tuple[int, dict[str, str]] | None:
    """The credentials run out in the middle."""
    return (401, {}) if LATE in path else None


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]


def snapshot(file: Path, config: str, *words: str) -> int:
    return main(["snapshot", "-o", str(file), "--kubeconfig", config, *words])


def test_killed_in_the_middle(filled: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SIGKILL while the kinds of Istio are being listed: those of Kubernetes are not asked for again, and the objects are the same."""
    file, part, whole = tmp_path / "s", tmp_path / "s.part", tmp_path / "whole"
    held, go = [], threading.Event()

    def hold(path: str) -> None:
        if LATE in path and not go.is_set():
            held.append(path)
            go.wait(60)

    with Faulty(filled, hold) as faulty:
        config = faulty.kubeconfig()
        words = [sys.executable, "-m", "meshcheck", "snapshot", "-o", str(file), "--kubeconfig", config]
        with subprocess.Popen(words, stderr=subprocess.PIPE) as running:
            deadline = time.monotonic() + 60
            while len(held) < 4 and time.monotonic() < deadline:
                time.sleep(0.05)
            running.kill()
        assert len(held) == 4, "every thread waits for a kind of Istio"
        go.set()
        assert not file.exists()
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
        faulty.asked.clear()
        assert snapshot(file, config, "--resume") == 0
        said = capsys.readouterr().out
        asked = [path.partition("?")[0] for path in faulty.asked]
        assert FIRST not in asked
        assert {path.partition("?")[0] for path in held} <= set(asked)
        assert not part.exists()
        assert snapshot(whole, config) == 0
    (head, *objects), (full, *every) = lines(file), lines(whole)
    assert objects == every
    assert any(value["kind"] == "AuthorizationPolicy" for value in objects)
    moments = head.pop("moments")
    assert len(moments) == 2
    assert head == full
    assert moments[0] in said
    capsys.readouterr()
    assert main(["trace", "--snapshot", str(file), *CALL_WORDS]) == 0
    assert "interrupted and resumed" in capsys.readouterr().err


def test_credentials_that_run_out(filled: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The user is told how to go on; nothing secret is left behind; a last line that is not whole is read again."""
    file, part = tmp_path / "s", tmp_path / "s.part"
    with Faulty(filled, refuse) as faulty:
        config = faulty.kubeconfig()
        assert snapshot(file, config) == 2
        assert f"what was listed is in `{part}`: the same command with `--resume` goes on there" in capsys.readouterr().err
        text = gzip.decompress(part.read_bytes()).decode()
        assert "colour=blue" in text
        assert not any(hidden in text for hidden in HIDDEN)
        assert snapshot(file, config, "--resume") == 2, "it fails again, and keeps what there is"
        part.write_bytes(part.read_bytes()[:-7])
        faulty.fault = None
        faulty.asked.clear()
        assert snapshot(file, config, "--resume") == 0
    assert not any(path.startswith(FIRST) for path in faulty.asked)
    removed = {item["object"]: item["fields"] for item in lines(file)[0]["removed"]}
    assert removed["ConfigMap/shop/settings"] == ["data.app.properties"]


def test_what_does_not_belong_together_is_refused(
    filled: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another cluster, other options, another hour, no file, no part: exit status 2, in one line, and no snapshot."""
    file, part = tmp_path / "s", tmp_path / "s.part"

    def told(config: str, *words: str) -> str:
        assert snapshot(file, config, "--resume", *words) == 2
        assert not file.exists()
        err = capsys.readouterr().err
        assert "Traceback" not in err
        return err.strip().splitlines()[0]

    with Faulty(filled, refuse) as faulty:
        config = faulty.kubeconfig()
        assert "no snapshot was left unfinished there: run without `--resume`" in told(config)
        assert snapshot(file, config) == 2
        capsys.readouterr()
        assert "(namespaces, -n): run without `--resume`" in told(config, "-n", "shop")
        assert "(--as): run" in told(config, "--as", "bob")
        assert "(server): run" in told(filled.kubeconfig())
        with monkeypatch.context() as patch:
            patch.setattr("meshcheck.load.snapshot.part.LONGEST", -1.0)
            assert "h ago" in told(config)
        for raw in (b"", b"no gzip", gzip.compress(b"[]"), gzip.compress(b'{"schema": "meshcheck/snapshot/v1"}')):
            part.write_bytes(raw)
            assert "not a snapshot that was left unfinished" in told(config)


def test_redacted_snapshots_leave_nothing(filled: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names would stand in what is left: there is nothing to resume, and it is said."""
    redact = ("--redact", str(tmp_path / "key.json"))
    with Faulty(filled, refuse) as faulty:
        assert snapshot(tmp_path / "s", faulty.kubeconfig(), *redact) == 2
        assert "a redacted snapshot cannot be resumed" in capsys.readouterr().err
        assert not list(tmp_path.iterdir())
        assert snapshot(tmp_path / "s", faulty.kubeconfig(), *redact, "--resume") == 2
        assert "`--resume`: a redacted snapshot leaves nothing behind" in capsys.readouterr().err
    file = tmp_path / "m.yaml"
    file.write_text(WORLD)
    assert main(["snapshot", "-o", str(tmp_path / "s"), "--resume", "-f", str(file)]) == 2
    assert "only a cluster is read in parts" in capsys.readouterr().err
    assert main(["snapshot", "-o", "-", "--resume", "--kubeconfig", filled.kubeconfig()]) == 2
    assert "standard output leaves no file behind" in capsys.readouterr().err


def test_what_an_api_server_has_admitted_stays_so(filled: ApiServer, tmp_path: Path) -> None:
    """A snapshot of a snapshot is the same snapshot."""
    first, second = tmp_path / "a", tmp_path / "b"
    assert snapshot(first, filled.kubeconfig()) == 0
    assert main(["snapshot", "-o", str(second), "--snapshot", str(first)]) == 0
    assert lines(second)[1:] == lines(first)[1:]
