"""Who the API server sees: for each kubeconfig and each set of flags the same user as for the real kubectl, or a refusal by both."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meshcheck.errors import UnreadableError
from meshcheck.load.cluster import Login, connect, default_namespace
from tests.cluster.conftest import why_not
from tests.cluster.identities import Identities
from tests.support.apiserver import find_binary
from tests.support.proxies import Proxy, SocksProxy

pytest.importorskip("kubernetes", reason="LOUD: no Kubernetes client: logging in was NOT compared with kubectl")

WHO = """
import json, sys
from meshcheck.cli.login_options import add_login_options, login_of
from meshcheck.cli.command_parser import CommandParser
from meshcheck.errors import MeshcheckError
from meshcheck.load.cluster import ApiError, connect
try:
    parser = CommandParser("who", "", "")
    add_login_options(parser.add_argument_group("login"))
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    print(json.dumps(connect(login_of(parser.parse_args(sys.argv[1:]))).post("/apis/authentication.k8s.io/v1/selfsubjectreviews", body)))
except (MeshcheckError, ApiError) as error:
    sys.exit(f"meshcheck: {error}")
"""
"""What every command does with the options, and a review of who asks."""


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Identities]:
    if missing := why_not():
        pytest.skip(f"LOUD: no API server: {missing}; logging in was NOT compared with kubectl")
    folder = tmp_path_factory.mktemp("identities")
    with Identities(folder) as made:
        yield made


def _seen(words: list[str], identities: Identities, environ: Mapping[str, str], home: Path) -> tuple[dict[str, Any] | None, str]:
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "KUBECONFIG"}
    done = subprocess.run(
        words,
        env={**clean, "HOME": str(home), "PATH": f"{identities.folder}/bin:{clean['PATH']}", **environ},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=identities.folder,
        timeout=60,
        check=False,
    )
    found = json.loads(done.stdout)["status"]["userInfo"] if done.returncode == 0 else None
    return _comparable(found), done.stderr


def _comparable(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Without what is new with each request: the id of a certificate is its fingerprint, which stays."""
    return {**found, "groups": sorted(found.get("groups") or ())} if found else None


def both(identities: Identities, flags: str, environ: Mapping[str, str], tmp_path: Path) -> tuple[Any, Any, str, str]:
    kubectl, said = _seen([str(find_binary("kubectl")), "auth", "whoami", "-o", "json", *shlex.split(flags)], identities, environ, tmp_path)
    own, told = _seen([sys.executable, "-c", WHO, *shlex.split(flags)], identities, environ, tmp_path)
    return kubectl, own, said, told


CASES = {
    "token": "--kubeconfig token.yaml",
    "context": "--kubeconfig token.yaml --context bob",
    "user": "--kubeconfig token.yaml --user bob",
    "cluster": "--kubeconfig token.yaml --cluster by-name --user bob",
    "token over a token": "--kubeconfig token.yaml --token {bob}",
    "token over a certificate": "--kubeconfig certificate.yaml --token {bob}",
    "certificate, data": "--kubeconfig certificate.yaml",
    "certificate, files beside the kubeconfig": "--kubeconfig deep/files.yaml",
    "certificate by flags": "--kubeconfig token.yaml --user nobody --client-certificate carol.crt --client-key carol.key",
    "certificate by flags over data": "--kubeconfig certificate.yaml --client-certificate dave.crt --client-key dave.key",
    "server and authority by flags": "--server {server} --certificate-authority ca.crt --token {alice}",
    "server by flag, short": "-s {server} --insecure-skip-tls-verify --token {alice}",
    "switch with a value": "-s {server} --insecure-skip-tls-verify=true --token {alice}",
    "insecure over an authority": "--kubeconfig wrong-ca.yaml --insecure-skip-tls-verify",
    "authority over insecure": "--kubeconfig insecure.yaml --certificate-authority ca.crt",
    "insecure in the file": "--kubeconfig insecure.yaml",
    "tls-server-name": "--kubeconfig by-name.yaml",
    "tls-server-name by flag": "--kubeconfig by-name.yaml --context unnamed --tls-server-name kubernetes",
    "token file": "--kubeconfig token-file.yaml",
    "token and token file": "--kubeconfig token-file.yaml --context both",
    "as": "--kubeconfig admin.yaml --as alice",
    "as with groups": "--kubeconfig admin.yaml --as alice --as-group a --as-group b",
    "as with uid and extra": "--kubeconfig admin.yaml --as alice --as-uid 7 --as-user-extra k=v --as-user-extra k=w --as-user-extra a/b=c",
    "as in utf-8": "--kubeconfig admin.yaml --as jörg",
    "as in the kubeconfig": "--kubeconfig as.yaml",
    "as over as": "--kubeconfig as.yaml --as bob",
    "as-group over as-groups": "--kubeconfig as.yaml --as-group z",
    "as-user-extra over as-user-extra": "--kubeconfig as.yaml --as-user-extra team=red --as-user-extra new=1",
    "as-group alone": "--kubeconfig admin.yaml --as-group z",
    "as without the right": "--kubeconfig token.yaml --as bob",
    "exec, token": "--kubeconfig exec.yaml",
    "exec, token, v1beta1": "--kubeconfig exec.yaml --context beta",
    "exec, certificate": "--kubeconfig exec.yaml --context certificate",
    "exec, command beside the kubeconfig": "--kubeconfig exec.yaml --context beside",
    "exec and a token by flag": "--kubeconfig exec.yaml --token {bob}",
    "exec and a certificate in the file": "--kubeconfig exec.yaml --context with-certificate",
    "exec, missing": "--kubeconfig exec.yaml --context missing",
    "exec, failing": "--kubeconfig exec.yaml --context failing",
    "exec, rubbish": "--kubeconfig exec.yaml --context rubbish",
    "exec, nothing": "--kubeconfig exec.yaml --context nothing",
    "exec, other version": "--kubeconfig exec.yaml --context other-version",
    "exec, half a certificate": "--kubeconfig exec.yaml --context half",
    "exec, wants a terminal": "--kubeconfig exec.yaml --context always",
    "exec, no mode": "--kubeconfig exec.yaml --context no-mode",
    "exec, old version": "--kubeconfig exec.yaml --context alpha",
    "expired certificate": "--kubeconfig expired.yaml",
    "no such context": "--kubeconfig token.yaml --context nope",
    "no such user": "--kubeconfig token.yaml --user nope",
    "no such cluster": "--kubeconfig token.yaml --cluster nope",
    "no such file": "--kubeconfig nope.yaml",
    "no such certificate": "--kubeconfig token.yaml --client-certificate nope.crt --client-key nope.key",
    "certificate without key": "--kubeconfig token.yaml --user nobody --client-certificate carol.crt",
    "another's key": "--kubeconfig token.yaml --user nobody --client-certificate carol.crt --client-key dave.key",
    "wrong authority": "--kubeconfig wrong-ca.yaml",
    "wrong name": "--kubeconfig by-name.yaml --context unnamed",
    "wrong token": "--kubeconfig token.yaml --token nonsense",
    "anonymous": "--kubeconfig token.yaml --user nobody",
    "removed provider": "--kubeconfig provider.yaml",
    "password": "--kubeconfig token.yaml --user nobody --username bob --password x",
    "broken file": "--kubeconfig broken.yaml",
    "no current context": "--kubeconfig no-current.yaml",
    "nothing listens": "--kubeconfig token.yaml --server https://127.0.0.1:1",
    "no address": "--kubeconfig token.yaml --server https://",
}
FILES_OF_ENVIRONMENT = {
    "two files": "token.yaml:other.yaml",
    "two files, the other way round": "other.yaml:token.yaml",
    "a file that is not there": "nope.yaml:token.yaml",
    "only files that are not there": "nope.yaml",
}


@pytest.mark.parametrize("case", CASES)
def test_flags(case: str, identities: Identities, tmp_path: Path) -> None:
    """The user that the server sees is kubectl's, with groups, uid and extra; what kubectl refuses is refused, in words."""
    kubectl, own, said, told = both(identities, identities.filled(CASES[case]), {}, tmp_path)
    assert own == kubectl, f"kubectl: {said}\nmeshcheck: {told}"
    assert "Traceback" not in told
    if own is None:
        print(told)
        assert told.splitlines()[-1].startswith("meshcheck: ") or "\n\n" in told, told


def test_a_token_that_is_given_is_meant(identities: Identities, tmp_path: Path) -> None:
    """kubectl lets the file of the kubeconfig win over `--token`, without a word; here the token that was typed is used."""
    flags = identities.filled("--kubeconfig token-file.yaml --token {alice}")
    kubectl, own, _, _ = both(identities, flags, {}, tmp_path)
    assert own["username"] == "alice"
    assert kubectl["username"] == "bob", "kubectl has changed: the note in kubeconfig.py can go"


@pytest.mark.parametrize("case", FILES_OF_ENVIRONMENT)
def test_files_of_the_environment(case: str, identities: Identities, tmp_path: Path) -> None:
    """$KUBECONFIG names several files: the first that says something is right."""
    kubectl, own, said, told = both(identities, "", {"KUBECONFIG": FILES_OF_ENVIRONMENT[case]}, tmp_path)
    assert own == kubectl, f"kubectl: {said}\nmeshcheck: {told}"


# ---- proxies ----


def _behind(identities: Identities, folder: Path, **more: Any) -> str:
    """A kubeconfig whose server has a name that nobody but the proxy can look up."""
    values = json.loads((identities.folder / "by-name.yaml").read_text())
    authority = str(identities.folder / "ca.crt")
    values["clusters"][0]["cluster"] |= {"server": "https://api.cluster.invalid:6443", "certificate-authority": authority, **more}
    (folder / "behind.yaml").write_text(json.dumps(values))
    return f"--kubeconfig {folder / 'behind.yaml'}"


@pytest.mark.parametrize("named", ["proxy-url", "environment", "flag"])
@pytest.mark.parametrize("kind", ["http", "password", "socks"])
def test_proxies(named: str, kind: str, identities: Identities, tmp_path: Path) -> None:
    """A proxy of the kubeconfig, of $HTTPS_PROXY, or of a flag; kubectl and meshcheck ask it for the same."""
    with _proxy(identities, kind) as proxy:
        given = {"proxy-url": proxy.url} if named == "proxy-url" else {}
        flags = _behind(identities, tmp_path, **given) + (f" --proxy-url {proxy.url}" if named == "flag" else "")
        environ = {"HTTPS_PROXY": proxy.url} if named == "environment" else {}
        kubectl, own, said, told = both(identities, flags, environ, tmp_path)
        assert kubectl is not None, said
        assert own == kubectl, told
        assert len(proxy.seen) >= 2
        assert set(proxy.seen) == {"api.cluster.invalid:6443"}


def _proxy(identities: Identities, kind: str) -> Proxy:
    made = SocksProxy if kind == "socks" else Proxy
    return made(("127.0.0.1", int(identities.server.url.rpartition(":")[2])), "ann:p%40ss" if kind == "password" else "")


def test_no_proxy(identities: Identities, tmp_path: Path) -> None:
    """Past the proxy go loopback addresses, always, and what $NO_PROXY names; `proxy-url` is not asked about."""
    with _proxy(identities, "http") as proxy:
        direct = "--kubeconfig token.yaml"
        assert both(identities, direct, {"HTTPS_PROXY": proxy.url}, tmp_path)[1] is not None
        assert proxy.seen == [], "loopback addresses go directly"
        named = _behind(identities, tmp_path)
        kubectl, own, said, told = both(identities, named, {"HTTPS_PROXY": proxy.url, "NO_PROXY": "cluster.invalid"}, tmp_path)
        assert (kubectl, own, proxy.seen) == (None, None, []), f"{said} {told}"
        given = _behind(identities, tmp_path, **{"proxy-url": proxy.url})
        kubectl, own, said, told = both(identities, given, {"NO_PROXY": "cluster.invalid"}, tmp_path)
        assert own == kubectl is not None, f"{said} {told}"


def test_proxies_that_refuse(identities: Identities, tmp_path: Path) -> None:
    """A wrong password, and a proxy that is not there: which proxy, and who names it."""
    with _proxy(identities, "password") as proxy:
        wrong = proxy.url.replace("ann:", "bob:")
        kubectl, own, _, told = both(identities, _behind(identities, tmp_path), {"HTTPS_PROXY": wrong}, tmp_path)
        assert own is kubectl is None
        assert "the proxy refuses (407 proxy authentication required)" in told
        assert "($HTTPS_PROXY)" in told
        assert "p%40ss" not in told
        assert "p@ss" not in told
    kubectl, own, _, told = both(identities, _behind(identities, tmp_path, **{"proxy-url": "http://127.0.0.1:1"}), {}, tmp_path)
    assert own is kubectl is None
    assert "through http://127.0.0.1:1 (`proxy-url`), does not answer: " in told
    assert "connection refused" in told


def test_what_plugins_are_told(identities: Identities, tmp_path: Path) -> None:
    """$KUBERNETES_EXEC_INFO is the same for a plugin that kubectl runs, with the cluster where that is wanted."""
    info = identities.folder / "info.json"
    for context in ("give", "told"):
        told = []
        for number in (0, 1):
            info.unlink(missing_ok=True)
            words = [[str(find_binary("kubectl")), "auth", "whoami", "-o", "json"], [sys.executable, "-c", WHO]][number]
            seen, said = _seen([*words, "--kubeconfig", "exec.yaml", "--context", context], identities, {}, tmp_path)
            assert seen is not None, said
            told.append(json.loads(info.read_text()))
        assert told[0] == told[1]
        assert ("cluster" in told[1]["spec"]) == (context == "told")


def test_credentials_that_run_out_are_renewed(identities: Identities, tmp_path: Path) -> None:
    """A plugin is asked once while what it gave is good, again after that, and again when the server does not take it any more."""
    runs, answer, plugin = tmp_path / "runs", tmp_path / "answer.json", tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\necho run >> {runs}\ncat {answer}\n")
    plugin.chmod(0o755)

    def give(user: str, seconds: float | None) -> None:
        until = {} if seconds is None else {"expirationTimestamp": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()}
        status = {"token": identities.server.tokens.get(user, "nonsense"), **until}
        answer.write_text(json.dumps({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status}))

    values = json.loads((identities.folder / "exec.yaml").read_text())
    settings = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    values["users"] = [{"name": "give", "user": {"exec": settings}}]
    (tmp_path / "config").write_text(json.dumps(values))
    api = connect(Login(kubeconfig=str(tmp_path / "config")))

    def seen() -> tuple[str, int]:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        name = api.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", body)["status"]["userInfo"]["username"]
        return name, len(runs.read_text().splitlines())

    give("alice", 3)
    assert seen() == ("alice", 1)
    give("bob", None)
    assert seen() == ("alice", 1), "what is good is not asked for again"
    time.sleep(3)
    assert seen() == ("bob", 2), "it has run out"
    assert seen() == ("bob", 2), "no end is said"
    give("nobody", -1)
    api._renew(api.client)
    with pytest.raises(UnreadableError, match="does not accept the credentials"):
        seen()
    give("alice", None)
    assert seen()[0] == "alice", "and goes on when the plugin has another"


def test_a_file_with_a_token_is_read_again(identities: Identities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As kubectl: once a minute, or when the server does not take it any more."""
    values = json.loads((identities.folder / "token-file.yaml").read_text())
    values["users"] = [{"name": "file", "user": {"tokenFile": "its-token"}}]
    (tmp_path / "config").write_text(json.dumps(values))
    (tmp_path / "its-token").write_text(identities.server.tokens["alice"])
    api = connect(Login(kubeconfig=str(tmp_path / "config")))
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}

    def seen() -> str:
        return str(api.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", body)["status"]["userInfo"]["username"])

    assert seen() == "alice"
    (tmp_path / "its-token").write_text(identities.server.tokens["bob"])
    assert seen() == "alice"
    monkeypatch.setattr("meshcheck.load.cluster.connection._TOKEN_AGE", 0.0)
    assert seen() == "bob"
    (tmp_path / "its-token").unlink()
    assert seen() == "bob", "the last one may still do"


def test_the_account_of_a_pod(identities: Identities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is used where no file and no flag names a server; a token that is told goes before its own, and a kubeconfig before all of it."""
    server = identities.server
    (tmp_path / "token").write_text(server.service_account_token("shop", "probe"))
    (tmp_path / "ca.crt").write_bytes(server.ca.read_bytes())
    (tmp_path / "namespace").write_text("shop\n")
    monkeypatch.setattr("meshcheck.load.cluster.login._ACCOUNT", tmp_path)
    monkeypatch.setattr("kubernetes.config.incluster_config.SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr("kubernetes.config.incluster_config.SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    host, _, port = server.url.removeprefix("https://").rpartition(":")
    for name, text in (("KUBERNETES_SERVICE_HOST", host), ("KUBERNETES_SERVICE_PORT", port), ("HOME", str(tmp_path))):
        monkeypatch.setenv(name, text)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("POD_NAMESPACE", raising=False)

    def seen(login: Login) -> str:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        return str(connect(login).post("/apis/authentication.k8s.io/v1/selfsubjectreviews", body)["status"]["userInfo"]["username"])

    assert seen(Login()) == "system:serviceaccount:shop:probe"
    assert connect(Login()).where == "the cluster of this pod"
    assert default_namespace(Login()) == "shop"
    assert seen(Login(token=server.tokens["bob"])) == "bob"
    assert seen(Login(token=server.tokens["admin"], as_user="eve", as_groups=("g",))) == "eve"
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "not-there"))
    assert seen(Login()) == "system:serviceaccount:shop:probe", "as kubectl: files that are not there say nothing"
    monkeypatch.setenv("KUBECONFIG", str(identities.folder / "token.yaml"))
    assert seen(Login()) == "alice"
    assert default_namespace(Login()) == "of-alice"
