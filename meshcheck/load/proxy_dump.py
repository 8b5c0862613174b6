"""Dumps of proxies: from files, or from running pods: kubectl runs a program in them, and where it may not, a port is asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from meshcheck.errors import MeshcheckError, MissingProgramError, UnreadableError
from meshcheck.load.encoding import decoded
from meshcheck.model.record import NamedTuple

if TYPE_CHECKING:
    from meshcheck.load.cluster.access import Login

_ASK = ("pilot-agent", "request", "GET", "config_dump")
_PORTS = (15000, 19000)
"""The port of Envoy's administration in Istio's proxies, and in those of Envoy Gateway."""
_MOST = 256 * 1024 * 1024
SECONDS = 60


class Named(NamedTuple):
    """A pod, or a workload that has pods. `kind` is empty for a pod."""

    kind: str
    namespace: str | None
    name: str


def read_dump(name: str, namespace: str | None, login: Login, options: Sequence[str] = ()) -> Any:
    """The dump of a file, of `-` (standard input), or of a pod: `NAME`, `NAMESPACE/NAME`, `pod/NAME`, `deploy/NAME`.

    `login` and `options` say who asks which cluster; the options are kubectl's own. Raises UnreadableError, or MissingProgramError where
    neither kubectl nor the Kubernetes client is there.
    """
    if name == "-":
        return _json(sys.stdin.buffer.read(_MOST + 1), "<stdin>")
    if os.path.exists(name) or name.endswith(".json"):
        try:
            with open(name, "rb") as stream:
                return _json(stream.read(_MOST + 1), name)
        except OSError as error:
            raise UnreadableError(f"`{name}`: {(error.strerror or str(error)).lower()}") from None
    return _json(_of_pod(name, named(name, namespace), login, options), name)


def named(text: str, namespace: str | None) -> Named:
    """What a name stands for: NAME, NAMESPACE/NAME, KIND/NAME or KIND/NAMESPACE/NAME."""
    from meshcheck.load.cluster.port_forward import POD_WORDS, WORKLOAD_WORDS

    first, slash, rest = text.partition("/")
    if not slash:
        return Named("", namespace, text)
    if first not in WORKLOAD_WORDS and first not in POD_WORDS:
        return Named("", first, rest)
    inner, slash, name = rest.partition("/")
    return Named("" if first in POD_WORDS else first, inner if slash else namespace, name or inner)


def _json(raw: bytes, name: str) -> Any:
    if len(raw) > _MOST:
        raise UnreadableError(f"`{name}`: larger than {_MOST >> 20} MiB")
    try:
        return json.loads(decoded(raw))
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"`{name}`: not JSON: {error}; give what `curl localhost:15000/config_dump` prints in the proxy") from None


def _of_pod(text: str, pod: Named, login: Login, options: Sequence[str]) -> bytes:
    """By a program in the pod; by a port of it where that is refused, or the program is not in the image."""
    from meshcheck.load.cluster.login import is_nowhere

    if not shutil.which("kubectl") and is_nowhere(login):
        raise MissingProgramError(f"`{text}` is no file, and the proxy of a pod needs `kubectl` on the PATH, or a kubeconfig")
    reasons = []
    for way in (_by_exec,) if is_nowhere(login) else (_by_exec, _by_port):
        try:
            return way(pod, login, options)
        except MeshcheckError as error:
            reasons.append(str(error))
    where = f" in namespace {pod.namespace}" if pod.namespace else ""
    said = "; ".join(dict.fromkeys(reasons))
    need = "; it needs `create` on pods/exec or on pods/portforward" if "forbidden" in said.lower() else ""
    raise UnreadableError(f"`{text}`: no file, and no proxy{where} that could be read: {said}{need}; or save its `config_dump` to a file")


def _by_exec(pod: Named, _: Login, options: Sequence[str]) -> bytes:
    program = shutil.which("kubectl")
    if program is None:
        raise UnreadableError("exec: no `kubectl` on the PATH")
    given = ["-n", pod.namespace] if pod.namespace else []
    target = f"{pod.kind}/{pod.name}" if pod.kind else pod.name
    command = [program, "exec", target, *given, *options, "-c", "istio-proxy", "--", *_ASK]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise UnreadableError(f"exec: no answer within {SECONDS} s") from None
    if done.returncode or not done.stdout.lstrip().startswith(b"{"):
        lines = done.stderr.decode(errors="replace").strip().splitlines() or done.stdout.decode(errors="replace").strip().splitlines()
        raise UnreadableError(f"exec: {(lines or [f'exit status {done.returncode}'])[-1]}")
    return done.stdout


def _by_port(pod: Named, login: Login, _: Sequence[str]) -> bytes:
    from meshcheck.load.cluster.api import ApiError
    from meshcheck.load.cluster.login import connect, default_namespace
    from meshcheck.load.cluster.port_forward import get_from_pod, pod_of

    try:
        api, namespace = connect(login), pod.namespace or default_namespace(login) or "default"
        name = pod_of(api, pod.kind, namespace, pod.name) if pod.kind else pod.name
        for port in _PORTS:
            try:
                return get_from_pod(api, namespace, name, port, "/config_dump", _MOST, SECONDS)
            except ApiError as error:
                if error.code or port == _PORTS[-1]:  # what the API server refuses it refuses for every port
                    raise
        raise AssertionError("unreachable")
    except ApiError as error:
        raise UnreadableError(f"port-forward: {f'{error.code} ' if error.code else ''}{error.message}") from None
    except MeshcheckError as error:
        raise UnreadableError(f"port-forward: {error}") from None
