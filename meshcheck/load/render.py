"""kustomize and helm, through the real programs."""

from __future__ import annotations

import shutil
import subprocess

from meshcheck.errors import MissingProgramError, UnreadableError


def kustomize(folder: str) -> str:
    """The manifests of `kubectl kustomize FOLDER`, or of `kustomize build` where kubectl is missing."""
    for program, verb in (("kubectl", "kustomize"), ("kustomize", "build")):
        if shutil.which(program):
            return _run([program, verb, folder])
    raise MissingProgramError(
        f"`-k {folder}` needs `kubectl` or `kustomize` on the PATH; install one, or render the folder elsewhere and use `-f -`"
    )


def helm(chart: str, values: list[str]) -> str:
    """The manifests of `helm template CHART`."""
    if not shutil.which("helm"):
        raise MissingProgramError(f"`--helm {chart}` needs `helm` on the PATH; install it, or give the output of `helm template` to `-f -`")
    return _run(["helm", "template", chart, *(part for file in values for part in ("--values", file))])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnreadableError(f"`{' '.join(command)}` failed: {done.stderr.strip() or f'exit status {done.returncode}'}")
    return done.stdout
