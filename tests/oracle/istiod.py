"""Asks Istio's own code (the Go program in istiod-config/) for the configuration of proxies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.oracle.errors import OracleError

HERE = Path(__file__).resolve().parent
VARIABLE = "MESHCHECK_ISTIOD"
HOW = "build it once (about 15 minutes on two cores): `cd tests/oracle/istiod-config && go build -o istiod-config .`"


def find_istiod(given: str | None = None) -> str:
    """The Go program: as given, as the variable MESHCHECK_ISTIOD says, or where it is built."""
    for named in (given, os.environ.get(VARIABLE)):
        if named:
            if found := shutil.which(named):
                return found
            raise OracleError(f"no program `{named}`; {HOW}")
    built = HERE / "istiod-config" / "istiod-config"
    if not built.is_file():
        raise OracleError(f"the Go program is not built and {VARIABLE} names none; {HOW}")
    return str(built)


def configurations(binary: str, cases: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What istiod sends to the proxies of each case, by the id of the case (see istiod-config/main.go for both forms)."""
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    try:
        done = subprocess.run([binary], check=False, input=lines, capture_output=True, text=True, timeout=60 + 5 * len(cases))
    except subprocess.TimeoutExpired as error:
        raise OracleError(f"the Go program did not answer {len(cases)} cases within {error.timeout:.0f} s") from None
    if done.returncode:
        raise OracleError(f"the Go program failed: {done.stderr[-2000:]}")
    return {(row := json.loads(line))["id"]: row for line in done.stdout.splitlines()}


def refused_objects(configuration: dict[str, Any]) -> list[str]:
    """What Istio's validation refused; the webhook would have kept it out of the cluster."""
    problems = configuration.get("problems") or []
    return [f"{p['kind']} {p.get('namespace')}/{p['name']}: {p['error']}" for p in problems if p.get("error")]
