"""A network, an /etc and a /tmp of its own for one run: controllers may take ports 80 and 443 there, and calls any address.

Everything of a run lives in one process that has been put into new namespaces of Linux; what it started ends with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

INSIDE = "MESHCHECK_EDGE_SANDBOX"
BLOCKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "203.0.113.0/24", "198.51.100.0/24")
"""All their addresses belong to the sandbox: pods listen on them and clients call from them."""
DOOR = "10.0.0.1"
"""The address of the controller's pod."""


def why_not() -> str | None:
    """Why there is no sandbox here; None when there is."""
    if sys.platform != "linux" or not shutil.which("unshare") or not shutil.which("ip"):
        return "private networks need Linux, `unshare` and `ip` (apt-get install util-linux iproute2)"
    done = subprocess.run([*_unshare(), "ip", "link", "set", "lo", "up"], capture_output=True, text=True, check=False)
    return f"no private network can be made here: {done.stderr.strip()}" if done.returncode else None


def _unshare() -> list[str]:
    return ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", *([] if os.geteuid() == 0 else ["--map-root-user"])]


def enter(module: str, arguments: Sequence[str]) -> None:
    """Run a module again inside a sandbox and end with its status; returns when it runs inside already."""
    if os.environ.get(INSIDE):
        _furnish(Path(os.environ[INSIDE]))
        return
    with tempfile.TemporaryDirectory(prefix="edge-") as folder:
        command = [*_unshare(), "--kill-child", sys.executable, "-m", module, *arguments]
        sys.exit(subprocess.run(command, env={**os.environ, INSIDE: folder}, check=False).returncode)


def _furnish(folder: Path) -> None:
    run("ip", "link", "set", "lo", "up")
    for block in BLOCKS:
        run("ip", "addr", "add", block, "dev", "lo")
    run("ip", "-6", "addr", "add", "2001:db8::5/128", "dev", "lo", "nodad")
    for name in ("upper", "work"):
        (folder / name).mkdir()
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/etc,upperdir={folder}/upper,workdir={folder}/work", "/etc")


def run(*command: str) -> str:
    """A command that must succeed; its output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}"
    return done.stdout


class Program:
    """A process in the background whose output goes to a file."""

    def __init__(self, log: Path, command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        self.log, self.command = log, list(command)
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={k: v for k, v in {**os.environ, **(environment or {})}.items() if not k.lower().endswith("_proxy")},
                cwd=cwd,
                preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL),  # noqa: PLW1509  ends when this process is killed
            )

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def check(self) -> None:
        """Fails when the process has ended."""
        assert self.process.poll() is None, f"{self.command[0]} ended with {self.process.returncode}:\n{self.text()[-3000:]}"

    def stop(self) -> None:
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
            return
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def program(log: Path, *command: str, environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> Iterator[Program]:
    """A program until the block ends."""
    started = Program(log, command, environment, cwd)
    try:
        yield started
    finally:
        started.stop()


def wait_for(what: str, seconds: float, *programs: Program, until: object) -> None:
    """Ask until something is true; fails when the time is over or a program has ended."""
    assert callable(until)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for each in programs:
            each.check()
        if until():
            return
        time.sleep(0.05)
    logs = "\n".join(each.text()[-2500:] for each in programs)
    raise AssertionError(f"{what}: not within {seconds:g} s\n{logs}")
