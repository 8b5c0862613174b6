"""An API server that knows client certificates, and kubeconfigs with every way to say who asks."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.apiserver import ApiServer
from tests.support.certificates import Authority

USERS = {"alice": ["dev"], "bob": ["ops"]}
PLUGIN = """#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" > "$INFO_FILE"
cat "$ANSWER"
"""


class Identities:
    """Starts the server and writes the files; both end with the `with` block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority("clients")
        (folder / "clients.crt").write_bytes(self.authority.pem)
        self.server = ApiServer(users=USERS, arguments=[f"--client-ca-file={folder / 'clients.crt'}"])

    def __enter__(self) -> Identities:
        self.server.__enter__()
        self.server.request(
            "POST",
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            {
                "metadata": {"name": "anybody-asks-who-they-are"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:basic-user"},
                "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:unauthenticated"}],
            },
        )
        self._write()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.stop()

    def filled(self, flags: str) -> str:
        """Flags with the server's address and tokens in them."""
        return flags.format(server=self.server.url, **self.server.tokens)

    # ---- files ----

    def _write(self) -> None:
        folder, server = self.folder, self.server
        (folder / "ca.crt").write_bytes(server.ca.read_bytes())
        for name, groups in (("carol", ["certified"]), ("dave", [])):
            made = self.authority.issue(name, groups)
            (folder / f"{name}.crt").write_bytes(made.certificate)
            (folder / f"{name}.key").write_bytes(made.key)
        old = self.authority.issue("carol", [], days=-1)
        here = {"server": server.url, "certificate-authority-data": _base64(server.ca.read_bytes())}
        by_name = {"server": server.url, "certificate-authority": "ca.crt", "tls-server-name": "kubernetes"}
        alice, bob, admin = ({"token": server.tokens[name]} for name in ("alice", "bob", "admin"))
        carol = {
            "client-certificate-data": _base64((folder / "carol.crt").read_bytes()),
            "client-key-data": _base64((folder / "carol.key").read_bytes()),
        }
        self._config("token.yaml", {"here": here, "by-name": by_name}, {"alice": alice, "bob": bob, "nobody": {}})
        self._config("other.yaml", {"here": {"server": "https://127.0.0.1:1"}}, {"bob": bob, "alice": {"token": "another"}}, "bob")
        self._config("admin.yaml", {"here": here}, {"admin": admin})
        self._config("certificate.yaml", {"here": here}, {"carol": carol})
        (folder / "deep").mkdir()
        files = {"client-certificate": "../carol.crt", "client-key": "../carol.key"}
        self._config("deep/files.yaml", {"here": {"server": server.url, "certificate-authority": "../ca.crt"}}, {"carol": files})
        self._config("wrong-ca.yaml", {"here": {"server": server.url, "certificate-authority": "clients.crt"}}, {"alice": alice})
        self._config("insecure.yaml", {"here": {"server": server.url, "insecure-skip-tls-verify": True}}, {"alice": alice})
        wrong = {**by_name, "tls-server-name": "wrong.example.com"}
        self._config("by-name.yaml", {"here": by_name, "wrong": wrong}, {"alice": alice}, more={"unnamed": ("wrong", "alice")})
        (folder / "token").write_text(f"{server.tokens['bob']}\n")
        both = {"tokenFile": "token", "token": server.tokens["alice"]}
        self._config("token-file.yaml", {"here": here}, {"file": {"tokenFile": "token"}, "both": both})
        extra = {"team": ["blue"], "shift": ["day", "night"]}
        acting = {**admin, "as": "eve", "as-groups": ["g", "h"], "as-uid": "42", "as-user-extra": extra}
        self._config("as.yaml", {"here": here}, {"acting": acting})
        expired = {"client-certificate-data": _base64(old.certificate), "client-key-data": _base64(old.key)}
        self._config("expired.yaml", {"here": here}, {"carol": expired})
        provider = {"auth-provider": {"name": "gcp", "config": {}}}
        self._config("provider.yaml", {"here": here}, {"gcp": provider})
        self._config("no-current.yaml", {"here": here}, {"alice": alice}, "")
        (folder / "broken.yaml").write_text("clusters: [\n")
        self._plugins(here, carol)

    def _plugins(self, here: Mapping[str, Any], carol: Mapping[str, Any]) -> None:
        folder, tokens = self.folder, self.server.tokens
        (folder / "bin").mkdir()
        (folder / "tools").mkdir()
        for path in (folder / "bin/give", folder / "tools/beside"):
            path.write_text(PLUGIN)
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        certificate = {
            "clientCertificateData": (folder / "carol.crt").read_text(),
            "clientKeyData": (folder / "carol.key").read_text(),
        }
        answers = {
            "token": {"token": tokens["bob"]},
            "certificate": certificate,
            "nothing": {},
            "half": {"clientCertificateData": certificate["clientCertificateData"]},
        }
        for name, status in answers.items():
            for version in ("v1", "v1beta1"):
                answer = {"kind": "ExecCredential", "apiVersion": f"client.authentication.k8s.io/{version}", "status": status}
                (folder / f"{name}.{version}.json").write_text(json.dumps(answer))
        (folder / "rubbish.v1.json").write_text("Please log in!\n")
        users = {
            "give": self._plugin("token"),
            "beta": self._plugin("token", "v1beta1", interactiveMode=None),
            "certificate": self._plugin("certificate"),
            "beside": self._plugin("token", command="./tools/beside"),
            "with-certificate": {**self._plugin("token"), **carol},
            "missing": self._plugin("token", command="no-such-plugin", installHint="get it at https://example.com/"),
            "failing": self._plugin("token", command="false"),
            "rubbish": self._plugin("rubbish"),
            "nothing": self._plugin("nothing"),
            "half": self._plugin("half"),
            "other-version": self._plugin("token", answer="token.v1beta1.json"),
            "always": self._plugin("token", interactiveMode="Always"),
            "no-mode": self._plugin("token", interactiveMode=None),
            "alpha": self._plugin("token", "v1alpha1"),
            "told": self._plugin("token", provideClusterInfo=True),
        }
        extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}
        self._config("exec.yaml", {"here": {**here, "extensions": [extension]}}, users)

    def _plugin(self, name: str, version: str = "v1", answer: str = "", **more: Any) -> dict[str, Any]:
        env = {"ANSWER": str(self.folder / (answer or f"{name}.{version}.json")), "INFO_FILE": str(self.folder / "info.json")}
        fields = {
            "apiVersion": f"client.authentication.k8s.io/{version}",
            "command": "give",
            "interactiveMode": "IfAvailable",
            "env": [{"name": key, "value": value} for key, value in env.items()],
            **more,
        }
        return {"exec": {key: value for key, value in fields.items() if value is not None}}

    def _config(
        self,
        name: str,
        clusters: Mapping[str, Any],
        users: Mapping[str, Any],
        current: str | None = None,
        more: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        """A kubeconfig with a context for each user, in the first cluster."""
        first = next(iter(clusters))
        contexts = {user: (first, user) for user in users} | dict(more or {})
        values = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": next(iter(users)) if current is None else current,
            "clusters": [{"name": key, "cluster": value} for key, value in clusters.items()],
            "users": [{"name": key, "user": value} for key, value in users.items()],
            "contexts": [{"name": key, "context": {"cluster": c, "user": u, "namespace": f"of-{u}"}} for key, (c, u) in contexts.items()],
        }
        (self.folder / name).write_text(json.dumps(values, indent=1))


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
