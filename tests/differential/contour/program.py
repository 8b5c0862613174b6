"""The real Contour with the Envoy that it configures."""

# ruff: noqa: E501  options of programs
from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tests.differential.edge import sandbox
from tests.oracle.envoy import find_envoy
from tests.oracle.errors import OracleError
from tests.support.apiserver import ApiServer

SPACE, NAME = "projectcontour", "envoy"
LABELS = {"app.kubernetes.io/name": "envoy"}
_XDS = ["--xds-address=127.0.0.1", "--xds-port=8001"]


def why_not() -> str | None:
    """What is missing here; None when it can run."""
    for name in ("MESHCHECK_CONTOUR", "MESHCHECK_CONTOUR_CRDS"):
        if not os.environ.get(name) or not Path(os.environ[name]).exists():
            return f"{name} names nothing (tests/differential/contour/README.md says how to make it)"
    try:
        find_envoy()
    except OracleError as missing:
        return str(missing)
    return None


def apply_crds(server: ApiServer) -> None:
    server.kubectl("apply", "--server-side", "-f", os.environ["MESHCHECK_CONTOUR_CRDS"])
    server.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")


@contextlib.contextmanager
def running(server: ApiServer, folder: Path) -> Iterator[tuple[sandbox.Program, sandbox.Program]]:
    """Contour and Envoy until the block ends."""
    contour, config = os.environ["MESHCHECK_CONTOUR"], folder / "envoy.json"
    serve = [
        contour, "serve", f"--kubeconfig={server.kubeconfig()}", "--insecure", *_XDS, "--disable-leader-election", "--kubernetes-client-qps=100", "--kubernetes-client-burst=200",
        "--envoy-service-http-port=80", "--envoy-service-https-port=443", "--envoy-http-access-log=/dev/null", "--envoy-https-access-log=/dev/null",
    ]  # fmt: skip
    sandbox.run(contour, "bootstrap", str(config), f"--admin-address={folder}/admin.sock", *_XDS)
    envoy = [
        find_envoy(),
        "-c",
        str(config),
        "--service-cluster",
        "c",
        "--service-node",
        "n",
        "--log-level",
        "warning",
        "--concurrency",
        "1",
    ]
    with sandbox.program(folder / "contour.log", *serve) as first, sandbox.program(folder / "envoy.log", *envoy) as second:
        yield first, second
