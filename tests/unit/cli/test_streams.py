"""Streams that are closed, full, or cannot hold what is said: never a traceback, and never a status that says `allowed`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHOP = str(Path(__file__).resolve().parents[3] / "manifests" / "scenarios" / "method-not-allowed" / "manifests.yaml")
DENIED = ["trace", "-f", SHOP, "--from", "shop/frontend", "--to", "http://cart.shop/", "-X", "DELETE"]
MESHCHECK = f"{sys.executable} -m meshcheck.cli.main"


def shell(line: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """`$MESHCHECK` and its words in a line of sh."""
    environment = {**os.environ, "MESHCHECK": MESHCHECK, "CALL": " ".join(DENIED[1:]), **variables}
    return subprocess.run(["sh", "-c", line], capture_output=True, env=environment, check=False)


@pytest.mark.parametrize("stdin", ["<&-", "</dev/null"])
def test_standard_input_that_is_not_there_is_empty(stdin: str) -> None:
    ran = shell(f"$MESHCHECK trace -f - --from a/b --to http://c.d/ {stdin}")
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert ran.stderr.startswith(b"meshcheck: `--from a/b`: no such workload")


def test_a_closed_standard_output_changes_no_status() -> None:
    ran = shell("$MESHCHECK trace $CALL >&-")
    assert (ran.returncode, ran.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="LOUD: no /dev/full here: a full disk was NOT tried")
def test_a_full_disk_is_said() -> None:
    ran = shell("$MESHCHECK trace $CALL >/dev/full")
    assert ran.returncode == 2
    assert ran.stderr == b"meshcheck: standard output cannot be written: no space left on device\n"


def test_a_reader_that_goes_away_does_not_make_it_allowed() -> None:
    """`meshcheck trace … | head -0` under `pipefail`."""
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run([sys.executable, "-m", "meshcheck.cli.main", *DENIED], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert ran.returncode in (1, 141)
    assert ran.stderr == b""


def test_an_encoding_without_our_signs_replaces_them() -> None:
    ran = shell("$MESHCHECK trace $CALL", PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stderr) == (1, b"")
    assert ran.stdout.startswith(b"? 403 RBAC: access denied")


def test_a_snapshot_goes_through_a_pipe() -> None:
    ran = shell(f"$MESHCHECK snapshot -f {SHOP} -o - | $MESHCHECK graph --snapshot - --focus shop/cart")
    assert ran.returncode == 0
    assert "◐ cart:80" in ran.stdout.decode()
    assert ran.stderr.decode().startswith("-: 9 objects of 6 kinds")
