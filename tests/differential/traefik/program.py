"""The real Traefik, with its providers for Ingress and its own CRDs."""

# ruff: noqa: E501  options of programs
from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tests.differential.edge import sandbox
from tests.support.apiserver import ApiServer

SPACE, NAME = "traefik", "traefik"
POINTS = ["--entrypoints.web.address=:80", "--entrypoints.websecure.address=:443"]
LABELS = {"app.kubernetes.io/name": "traefik"}


def why_not() -> str | None:
    """What is missing here; None when it can run."""
    for name in ("MESHCHECK_TRAEFIK", "MESHCHECK_TRAEFIK_CRDS"):
        if not os.environ.get(name) or not Path(os.environ[name]).exists():
            return f"{name} names nothing (tests/differential/traefik/README.md says how to make it)"
    return None


def apply_crds(server: ApiServer) -> None:
    server.kubectl("apply", "--server-side", "-f", os.environ["MESHCHECK_TRAEFIK_CRDS"])
    server.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")


@contextlib.contextmanager
def running(server: ApiServer, folder: Path) -> Iterator[sandbox.Program]:
    """Traefik until the block ends."""
    command = [
        os.environ["MESHCHECK_TRAEFIK"], *POINTS,
        "--providers.kubernetesingress", "--providers.kubernetescrd", "--providers.providersThrottleDuration=100ms", "--global.checknewversion=false",
        "--global.sendanonymoususage=false", "--log.level=INFO", f"--providers.kubernetesingress.endpoint={server.url}", f"--providers.kubernetescrd.endpoint={server.url}",
        f"--providers.kubernetesingress.certAuthFilePath={server.ca}", f"--providers.kubernetescrd.certAuthFilePath={server.ca}",
        f"--providers.kubernetesingress.token={server.tokens['admin']}", f"--providers.kubernetescrd.token={server.tokens['admin']}",
    ]  # fmt: skip
    with sandbox.program(folder / "traefik.log", *command, cwd=folder) as started:
        yield started
