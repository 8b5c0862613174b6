"""Dumps of proxies: from files, or from running pods through kubectl, which knows how to get into one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from meshcheck.errors import MissingProgramError, UnreadableError
from meshcheck.load.encoding import decoded

_ASK = ("pilot-agent", "request", "GET", "config_dump")
_MOST = 256 * 1024 * 1024
SECONDS = 60


def read_dump(name: str, namespace: str | None, options: Sequence[str] = ()) -> Any:
    """The dump of a file, of `-` (standard input), or of a pod: `NAME`, `NAMESPACE/NAME`, `pod/NAME`, `deploy/NAME`.

    `options` are kubectl's own, such as `--context`. Raises UnreadableError, or MissingProgramError where kubectl is needed.
    """
    if name == "-":
        return _json(sys.stdin.buffer.read(_MOST + 1), "<stdin>")
    if os.path.exists(name) or name.endswith(".json"):
        try:
            with open(name, "rb") as stream:
                return _json(stream.read(_MOST + 1), name)
        except OSError as error:
            raise UnreadableError(f"`{name}`: {(error.strerror or str(error)).lower()}") from None
    return _json(_of_pod(name, namespace, options), name)


def _json(raw: bytes, name: str) -> Any:
    if len(raw) > _MOST:
        raise UnreadableError(f"`{name}`: larger than {_MOST >> 20} MiB")
    try:
        return json.loads(decoded(raw))
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"`{name}`: not JSON: {error}; give what `curl localhost:15000/config_dump` prints in the proxy") from None


def _of_pod(name: str, namespace: str | None, options: Sequence[str]) -> bytes:
    program = shutil.which("kubectl")
    if program is None:
        raise MissingProgramError(f"`{name}` is no file, and reading the proxy of a pod needs `kubectl` on the PATH; or give a file")
    first, slash, rest = name.partition("/")
    kind, _, inner = rest.partition("/")
    if slash and inner:
        namespace, pod = kind, f"{first}/{inner}"  # deploy/shop/cart
    elif slash and first not in ("pod", "po", "deploy", "deployment", "sts", "statefulset", "ds", "daemonset", "rs", "job"):
        namespace, pod = first, rest
    else:
        pod = name
    given = ["-n", namespace] if namespace else []
    command = [program, "exec", pod, *given, *options, "-c", "istio-proxy", "--", *_ASK]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise UnreadableError(f"`{name}`: the proxy did not answer within {SECONDS} s") from None
    if done.returncode:
        said = (done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        need = "; it needs `create` on pods/exec" if "forbidden" in said.lower() else ""
        where = f" in namespace {namespace}" if namespace else ""
        raise UnreadableError(
            f"`{name}`: no file, and no proxy{where} that could be read: {said}{need}; or save its `config_dump` to a file"
        )
    return done.stdout
