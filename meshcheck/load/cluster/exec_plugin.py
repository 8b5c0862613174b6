"""Plugins that give credentials: `exec` of a user in a kubeconfig, for clouds and single sign-on.

The official client hides a plugin that fails and asks as nobody, knows no `interactiveMode`, and renews no certificates. Sources:
kubernetes/client-go:plugin/pkg/client/auth/exec/exec.go; rest/exec.go:ConfigToExecCluster; pkg/apis/clientauthentication/v1/types.go.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from meshcheck.errors import UnreadableError
from meshcheck.model.record import NamedTuple

_GROUP = "client.authentication.k8s.io"
_VERSIONS = (f"{_GROUP}/v1", f"{_GROUP}/v1beta1")
_MODES = ("Never", "IfAvailable", "Always")


class Credentials(NamedTuple):
    """What a plugin gave: a token, or a certificate with its key (PEM), and until when."""

    token: str
    certificate: str
    key: str
    expires: datetime | None

    @property
    def have_expired(self) -> bool:
        """Whether the plugin has to be asked again."""
        return self.expires is not None and datetime.now(UTC) >= self.expires


class ExecPlugin:
    """One plugin. `where` names the user and the file, for messages."""

    def __init__(self, settings: Mapping[str, Any], cluster: Mapping[str, Any], where: str) -> None:
        self._settings, self._cluster, self._where = settings, cluster, where
        self._lock = threading.Lock()
        self.last: Credentials | None = None

    def credentials(self) -> Credentials:
        """Ask the plugin. Raises UnreadableError with what to do."""
        with self._lock:  # it may talk to people: once at a time
            self.last = self._answer(self._run())
            return self.last

    def _run(self) -> bytes:
        settings = self._settings
        command, version = settings.get("command"), settings.get("apiVersion")
        if not isinstance(command, str) or not command:
            raise self._wrong("names no `command`")
        if version not in _VERSIONS:
            raise self._wrong(f"`apiVersion` is `{version}`; {' or '.join(_VERSIONS)} is needed: bring the kubeconfig up to date")
        interactive = self._is_interactive(version)
        program = shutil.which(command)
        if program is None:
            hint = str(settings.get("installHint") or "").strip()
            raise self._wrong(f"`{command}` is not on the PATH: install it" + (f"\n\n{hint}" if hint else ""))
        try:
            done = subprocess.run(
                [program, *map(str, settings.get("args") or ())],
                env=self._environment(version, interactive),
                stdin=None if interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,  # standard error is the plugin's: it may ask for a login there
                check=False,
            )
        except OSError as error:
            raise self._wrong(f"`{command}` cannot be run: {(error.strerror or str(error)).lower()}") from None
        if done.returncode:
            raise self._wrong(f"`{command}` failed with exit status {done.returncode}: log in again with it")
        return done.stdout

    def _is_interactive(self, version: str) -> bool:
        mode = self._settings.get("interactiveMode") or ("IfAvailable" if version.endswith("beta1") else "")
        if mode not in _MODES:
            raise self._wrong(f"`interactiveMode` must be {', '.join(_MODES[:2])} or {_MODES[2]}")
        terminal = sys.stdin is not None and sys.stdin.isatty()
        if mode == "Always" and not terminal:
            raise self._wrong("it wants to ask (`interactiveMode: Always`), and standard input is no terminal")
        return mode != "Never" and terminal

    def _environment(self, version: str, interactive: bool) -> dict[str, str]:
        spec: dict[str, Any] = {"interactive": interactive}
        if self._settings.get("provideClusterInfo"):
            spec["cluster"] = _cluster_info(self._cluster)
        told = {"kind": "ExecCredential", "apiVersion": version, "spec": spec}
        own = {item["name"]: str(item.get("value", "")) for item in self._settings.get("env") or () if item.get("name")}
        return {**os.environ, **own, "KUBERNETES_EXEC_INFO": json.dumps(told)}

    def _answer(self, raw: bytes) -> Credentials:
        command = self._settings["command"]
        try:
            found = json.loads(raw)
        except ValueError:
            shown = raw.decode("utf-8", "replace").strip().splitlines()
            printed = f"`{shown[0][:60]}`" if shown else "nothing"
            raise self._wrong(f"`{command}` prints {printed} in place of an ExecCredential: run it by hand to see what is wrong") from None
        if not isinstance(found, dict) or found.get("kind") != "ExecCredential":
            raise self._wrong(f"`{command}` prints no ExecCredential")
        if found.get("apiVersion") != self._settings["apiVersion"]:
            raise self._wrong(
                f"`{command}` answers in `{found.get('apiVersion')}`, and `{self._settings['apiVersion']}` is wanted:"
                " bring plugin and kubeconfig to one version"
            )
        status = found.get("status")
        if not isinstance(status, dict):
            raise self._wrong(f"`{command}` gives no `status`: log in again with it")
        token, certificate, key = (str(status.get(name) or "") for name in ("token", "clientCertificateData", "clientKeyData"))
        if bool(certificate) != bool(key):
            raise self._wrong(f"`{command}` gives a certificate or a key, and not both")
        if not token and not certificate:
            raise self._wrong(f"`{command}` gives neither a token nor a certificate: log in again with it")
        return Credentials(token, certificate, key, self._moment(status.get("expirationTimestamp")))

    def _moment(self, text: Any) -> datetime | None:
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(str(text))
        except ValueError:
            raise self._wrong(f"`{self._settings['command']}`: `expirationTimestamp` is `{text}`, which is no time") from None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def _wrong(self, what: str) -> UnreadableError:
        return UnreadableError(f"{self._where}: the login plugin: {what}")


def _cluster_info(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """The cluster as plugins are told it: files are read, and the extension that is meant for them is `config`."""
    data = cluster.get("certificate-authority-data")
    path = cluster.get("certificate-authority")
    if not data and path:
        with open(path, "rb") as stream:
            data = base64.b64encode(stream.read()).decode()
    out = {"server": cluster.get("server"), "certificate-authority-data": data}
    out |= {name: cluster.get(name) for name in ("tls-server-name", "insecure-skip-tls-verify", "proxy-url", "disable-compression")}
    for extension in cluster.get("extensions") or ():
        if extension.get("name") == f"{_GROUP}/exec":
            out["config"] = extension.get("extension")
    return {name: found for name, found in out.items() if found or name == "config"}
