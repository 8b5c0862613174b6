"""A real Kubernetes API server (kube-apiserver + etcd) for tests. Standard library only.

    with ApiServer(users={"alice": ["dev"]}) as server:
        os.environ["KUBECONFIG"] = server.kubeconfig()            # cluster administrator
        server.kubectl("apply", "--server-side", "-f", "x.yaml")
        alice = server.kubeconfig(user="alice")                    # static token
        token = server.service_account_token("default", "probe")   # TokenRequest, real JWT

Binaries are looked for in $KUBEBUILDER_ASSETS, then in $PATH: `kube-apiserver`, `etcd`, and,
where asked for, `kubectl` and `kube-controller-manager`. `kube-binaries/build.sh` beside this
file builds them.

Everything listens on 127.0.0.1 only, lives in one temporary folder, and ends with the `with`
block. On Linux the processes also end when Python is killed; only the folder stays then.
"""

from __future__ import annotations

import base64
import csv
import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ADMIN = "admin"
"""Name of the user who is in `system:masters`: RBAC is not asked for this one."""

DEFAULT_CONTROLLERS = (
    "serviceaccount-controller",  # the `default` service account of each namespace
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "namespace-controller",  # deletion of a namespace empties it
    "clusterrole-aggregation-controller",  # `view`, `edit`, `admin` have rules only with it
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "endpointslice-controller",
    "endpoints-controller",
    "garbage-collector-controller",
)


_ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
"""For the processes and kubectl: through a proxy, the server would call webhooks out there."""


class StartError(RuntimeError):
    """A binary is missing, or a process ended before it was ready. Carries the log's end."""


class ApiError(RuntimeError):
    """The server's `Status` object for a refused request."""

    def __init__(self, code: int, status: Mapping[str, Any]) -> None:
        super().__init__(f"{code}: {status.get('message', status)}")
        self.code = code
        self.status = status


def find_binary(name: str) -> Path:
    """`name` in $KUBEBUILDER_ASSETS or $PATH. A set but wrong variable is an error, not a hint."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets:
        path = Path(assets, name)
        if os.access(path, os.X_OK):
            return path.absolute()
        if name in ("kube-apiserver", "etcd"):
            raise StartError(f"no executable {name} in KUBEBUILDER_ASSETS={assets}")
    found = shutil.which(name)
    if not found:
        raise StartError(f"{name} is neither in KUBEBUILDER_ASSETS nor in PATH")
    return Path(found).absolute()


def available() -> str | None:
    """None if the server can start here, else why not (for `pytest.skip`)."""
    try:
        find_binary("kube-apiserver")
        find_binary("etcd")
    except StartError as error:
        return str(error)
    return None


def _free_ports(count: int) -> list[int]:
    """`count` different free TCP ports. Held together, so that none is handed out twice."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _open(target: str | urllib.request.Request, *, timeout: float, context: ssl.SSLContext | None) -> Any:
    """`urllib.request.urlopen` that never uses a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    return opener.open(target, timeout=timeout)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _write_rsa_key(path: Path) -> None:
    """The key that signs service-account tokens."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError:
        subprocess.run(["openssl", "genrsa", "-out", str(path), "2048"], check=True, capture_output=True)
        return
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )


class ApiServer:
    """kube-apiserver and etcd as a context manager.

    users        name -> groups; each gets a static token. `admin` is always there.
    controllers  names of kube-controller-manager's controllers to run as well, `True` for
                 DEFAULT_CONTROLLERS. Without any, nothing reacts to what is stored: no default
                 service accounts, ReplicaSets, Pods, EndpointSlices, aggregated ClusterRoles.
    admission    False (default) switches the ServiceAccount admission off, so that a Pod may be
                 created before its service account; True needs the account to exist first.
    webhooks     False (default) switches admission webhooks off: the pods that would answer them
                 do not run here, so a real project's own webhook refuses its own objects.
    arguments    further flags of kube-apiserver; the last of a repeated flag wins.
    timeout      seconds until /readyz must answer.
    """

    def __init__(
        self,
        *,
        users: Mapping[str, Sequence[str]] | None = None,
        controllers: bool | Sequence[str] = False,
        admission: bool = False,
        webhooks: bool = False,
        arguments: Sequence[str] = (),
        timeout: float = 120.0,
    ) -> None:
        self.users = {ADMIN: ["system:masters"], **(users or {})}
        self.tokens = {user: secrets.token_hex(16) for user in self.users}
        self.controllers = DEFAULT_CONTROLLERS if controllers is True else tuple(controllers or ())
        self.switched_off = [
            *([] if admission else ["ServiceAccount"]),
            *([] if webhooks else ["MutatingAdmissionWebhook", "ValidatingAdmissionWebhook"]),
        ]
        self.arguments = list(arguments)
        self.timeout = timeout
        self.folder = Path()
        self.url = ""
        self.seconds_to_ready = 0.0
        self.etcd_url = ""
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, tuple[str, ...]] = {}

    # -- life ---------------------------------------------------------------------------------

    def __enter__(self) -> ApiServer:
        self.folder = Path(tempfile.mkdtemp(prefix="apiserver-"))
        try:
            for attempt in (1, 2, 3):  # a free port may be taken before it is bound
                try:
                    self._start()
                    return self
                except StartError as error:
                    if attempt == 3 or "address already in use" not in str(error):
                        raise
                    self._end_processes()
            raise AssertionError("unreachable")
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the processes (newest first) and remove the folder. May be called twice."""
        self._end_processes()
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)

    def _end_processes(self) -> None:
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in reversed(self.processes.values()):
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def _start(self) -> None:
        started = time.monotonic()
        client, peer, secure = _free_ports(3)
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)
        etcd_url = self.etcd_url = f"http://127.0.0.1:{client}"
        self._spawn(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={etcd_url}",
            f"--advertise-client-urls={etcd_url}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            "--unsafe-no-fsync",  # a test's data need not survive a power cut
            "--log-level=warn",
        )
        self._wait("etcd", f"{etcd_url}/health")

        key = self.folder / "service-account.key"
        if not key.exists():
            _write_rsa_key(key)
        tokens = self.folder / "tokens.csv"
        with tokens.open("w", newline="") as file:
            for user, groups in self.users.items():
                csv.writer(file).writerow([self.tokens[user], user, user, ",".join(groups)])
        self.url = f"https://127.0.0.1:{secure}"
        self._spawn(
            "kube-apiserver",
            f"--etcd-servers={etcd_url}",
            "--bind-address=127.0.0.1",
            f"--secure-port={secure}",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",  # a loopback address is no valid endpoint
            f"--cert-dir={self.folder / 'certs'}",  # it makes its own serving certificate
            "--authorization-mode=RBAC",
            f"--token-auth-file={tokens}",
            f"--service-account-issuer={self.url}",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--allow-privileged=true",
            "--profiling=false",
            f"--disable-admission-plugins={','.join(self.switched_off)}",
            *self.arguments,
        )
        self._wait("kube-apiserver", f"{self.url}/readyz")
        if self.controllers:
            self._spawn(
                "kube-controller-manager",
                f"--kubeconfig={self.kubeconfig()}",
                f"--controllers={','.join(self.controllers)}",
                f"--service-account-private-key-file={key}",
                f"--root-ca-file={self.ca}",
                "--leader-elect=false",
                "--secure-port=0",
                "--kube-api-qps=200",
                "--kube-api-burst=400",
            )
        self.seconds_to_ready = time.monotonic() - started

    def kill(self, name: str) -> None:
        """End one process as a crash would."""
        process = self.processes[name]
        process.kill()
        process.wait()

    def restart(self, name: str) -> None:
        """Start a process again as it was started; returns when it is ready."""
        self._spawn(name, *self._started[name])
        self._wait(name, f"{self.url}/readyz" if name == "kube-apiserver" else f"{self.etcd_url}/health")

    def _spawn(self, name: str, *arguments: str) -> None:
        self._started[name] = arguments
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(find_binary(name)), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=_ENVIRONMENT,
                start_new_session=True,  # Ctrl-C in the test run must not reach it first
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )

    def _wait(self, name: str, url: str) -> None:
        deadline = time.monotonic() + self.timeout
        process = self.processes[name]
        why: object = "no answer yet"
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise StartError(f"{name} ended with {process.returncode}:\n{self.log(name)}")
            try:
                context = self._tls() if url.startswith("https") else None
                with _open(url, timeout=2, context=context):
                    return
            except (OSError, ssl.SSLError) as error:  # URLError is an OSError
                why = error
            time.sleep(0.05)
        raise StartError(f"{name} not ready in {self.timeout:g} s ({why}):\n{self.log(name)}")

    def log(self, name: str, lines: int = 20) -> str:
        """The last lines of a process's log."""
        path = self.folder / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])

    # -- ways in ------------------------------------------------------------------------------

    @property
    def ca(self) -> Path:
        """Certificate that signs the server's own; for `certificate-authority`."""
        return self.folder / "certs" / "apiserver.crt"

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))

    def kubeconfig(self, *, user: str = ADMIN, token: str | None = None, namespace: str = "default") -> str:
        """Path of a kubeconfig for a user given at start, or for any bearer token."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [
                {
                    "name": "test",
                    "cluster": {
                        "server": self.url,
                        "certificate-authority-data": base64.b64encode(self.ca.read_bytes()).decode(),
                    },
                }
            ],
            "users": [{"name": user, "user": {"token": token or self.tokens[user]}}],
            "contexts": [
                {
                    "name": "test",
                    "context": {"cluster": "test", "user": user, "namespace": namespace},
                }
            ],
        }
        handle, path = tempfile.mkstemp(prefix="kubeconfig-", suffix=".json", dir=self.folder)
        with os.fdopen(handle, "w") as file:
            json.dump(config, file, indent=1)
        return path

    def service_account_token(self, namespace: str, name: str, *, seconds: int = 3600) -> str:
        """A real token of a service account, which is created (with its namespace) if missing."""
        for path, body in (
            ("/api/v1/namespaces", {"metadata": {"name": namespace}}),
            (f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}}),
        ):
            try:
                self.request("POST", path, body)
            except ApiError as error:
                if error.code != 409:  # AlreadyExists
                    raise
        reply = self.request(
            "POST",
            f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
            {"spec": {"expirationSeconds": seconds}},
        )
        return str(reply["status"]["token"])

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        content_type: str = "application/json",
    ) -> Any:
        """One call of the API (JSON in, JSON out); ApiError if the server refuses it."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path,
            data=data,
            method=method,
            headers={
                "Authorization": f"Bearer {token or self.tokens[ADMIN]}",
                "Content-Type": content_type,
                "Accept": "application/json",
            },
        )
        try:
            with _open(request, timeout=60, context=self._tls()) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                status = json.loads(text)
            except ValueError:
                status = {"message": text.decode(errors="replace")}
            raise ApiError(error.code, status) from None

    def kubectl(self, *arguments: str, user: str = ADMIN, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl as a user. With `check`, a failure raises with kubectl's own message."""
        done = subprocess.run(
            [
                str(find_binary("kubectl")),
                f"--kubeconfig={self.kubeconfig(user=user)}",
                f"--cache-dir={self.folder / 'kubectl-cache'}",
                *arguments,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            env=_ENVIRONMENT,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def set_status(self, path: str, status: Mapping[str, Any]) -> Any:
        """Merge `status` into an object as a controller or kubelet would (status subresource).

        `path` is the object's, for example /api/v1/namespaces/shop/pods/cart-0.
        """
        return self.request(
            "PATCH",
            f"{path}/status",
            {"status": status},
            content_type="application/merge-patch+json",
        )

    def run_pod(self, namespace: str, name: str, ip: str, *, node: str = "node-0") -> Any:
        """What scheduler and kubelet would do: bind a Pod to a node (made if missing), Ready at `ip`.

        The EndpointSlice controller leaves out Pods whose node does not exist.
        """
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        for target, body in (
            ("/api/v1/nodes", {"metadata": {"name": node}}),
            (f"{path}/binding", {"metadata": {"name": name}, "target": {"kind": "Node", "name": node}}),
        ):
            try:
                self.request("POST", target, body)
            except ApiError as error:
                if error.code != 409:  # the node exists, or the Pod is bound
                    raise
        return self.set_status(
            path,
            {
                "phase": "Running",
                "podIP": ip,
                "podIPs": [{"ip": ip}],
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        )


def main() -> None:
    """Run a server until Enter or end of input; print how to use it."""
    with ApiServer(controllers="--controllers" in sys.argv[1:]) as server:
        print(f"ready in {server.seconds_to_ready:.1f} s", file=sys.stderr)
        print(f"export KUBECONFIG={server.kubeconfig()}", flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main()
