"""Proxies, kubeconfig files and flags, as far as no server is needed; tests/cluster/test_login.py compares the rest with kubectl."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from meshcheck.errors import UnreadableError, UsageError
from meshcheck.load.cluster.access import Login
from meshcheck.load.cluster.egress_proxy import is_exempt, proxy_for
from meshcheck.load.cluster.expiry import token_end
from meshcheck.load.cluster.impersonation import headers_of
from meshcheck.load.cluster.kubeconfig import choose, read_kubeconfig
from meshcheck.load.cluster.login import connect, default_namespace


@pytest.mark.parametrize(
    ("server", "no_proxy", "exempt"),
    [
        ("https://localhost:6443", "", True),
        ("https://127.0.0.2", "", True),
        ("https://[::1]:6443", "", True),
        ("https://api.example.com", "", False),
        ("https://api.example.com", "*", True),
        ("https://api.example.com", "example.com", True),
        ("https://example.com", "example.com", True),
        ("https://example.com", ".example.com", False),
        ("https://api.example.com", ".example.com", True),
        ("https://api.example.com", "*.example.com", True),
        ("https://badexample.com", "example.com", False),
        ("https://API.example.com", "api.EXAMPLE.com", True),
        ("https://api.example.com:6443", "api.example.com:6443", True),
        ("https://api.example.com", "api.example.com:443", True),
        ("https://api.example.com", "api.example.com:6443", False),
        ("https://10.1.2.3:6443", "10.0.0.0/8", True),
        ("https://10.1.2.3:6443", "10.1.2.3", True),
        ("https://10.1.2.3:6443", "10.1.2.3:443", False),
        ("https://11.1.2.3", "10.0.0.0/8, foo", False),
        ("https://[2001:db8::1]", "2001:db8::/32", True),
        ("https://[2001:db8::1]:6443", "[2001:db8::1]:6443", True),
        ("https://10.1.2.3", "a/b,10.1.2.0/33", False),
    ],
)
def test_no_proxy(server: str, no_proxy: str, exempt: bool) -> None:
    """As Go's httpproxy reads $NO_PROXY."""
    assert is_exempt(urlsplit(server), no_proxy) is exempt


@pytest.mark.parametrize(
    ("server", "proxy_url", "environ", "url"),
    [
        ("https://a.b", "", {}, None),
        ("https://a.b", "", {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ("https://a.b", "", {"https_proxy": "p:3128"}, "http://p:3128"),
        ("https://a.b", "", {"HTTPS_PROXY": "", "https_proxy": "p"}, "http://p"),
        ("https://a.b", "", {"HTTPS_PROXY": "http://one", "https_proxy": "http://two"}, "http://one"),
        ("https://a.b", "", {"HTTP_PROXY": "http://p"}, None),
        ("http://a.b", "", {"HTTP_PROXY": "http://p"}, "http://p"),
        ("https://a.b", "", {"ALL_PROXY": "http://p"}, None),
        ("https://a.b", "", {"HTTPS_PROXY": "http://p", "NO_PROXY": "b"}, None),
        ("https://a.b", "http://q", {"HTTPS_PROXY": "http://p", "NO_PROXY": "b"}, "http://q"),
        ("https://a.b", "socks5://q:1080", {}, "socks5h://q:1080"),
        ("https://a.b", "https://u:p%40w@q:1", {}, "https://q:1"),
        ("https://a.b", "http://[::1]:3128", {}, "http://[::1]:3128"),
    ],
)
def test_which_proxy(server: str, proxy_url: str, environ: dict[str, str], url: str | None) -> None:
    """`proxy-url`, else the environment; passwords are no part of what is shown."""
    found = proxy_for(server, proxy_url, environ)
    assert (found.url if found else None) == url
    assert found is None or "@" not in proxy_url or found.credentials == "u:p@w"


@pytest.mark.parametrize("wrong", ["ftp://p", "p:3128", "http://", "http://p:notaport"])
def test_a_proxy_url_that_is_none(wrong: str) -> None:
    with pytest.raises(UnreadableError, match="proxy-url"):
        proxy_for("https://a.b", wrong, {})


def _files(folder: Path, **parts: Any) -> str:
    path = folder / "config"
    path.write_text(json.dumps({"current-context": "c", **parts}))
    return str(path)


HERE = {
    "clusters": [{"name": "k", "cluster": {"server": "https://k", "tls-server-name": "n", "certificate-authority": "ca.crt"}}],
    "users": [{"name": "u", "user": {"token": "t", "client-key-data": "a2V5"}}],
    "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "shop"}}],
}


def test_flags_over_files(tmp_path: Path) -> None:
    """Another server has another name in its certificate; a key by flag goes before one that is written down."""
    path = _files(tmp_path, **HERE)
    plain = choose(read_kubeconfig(Login(kubeconfig=path)), Login(kubeconfig=path))
    assert plain.cluster["certificate-authority"] == str(tmp_path / "ca.crt")
    assert (plain.namespace, plain.user["token"]) == ("shop", "t")
    login = Login(kubeconfig=path, server="https://other", client_key="x.key", insecure=True)
    told = choose(read_kubeconfig(login), login)
    assert told.cluster == {"server": "https://other", "insecure-skip-tls-verify": True}
    assert told.user == {"token": "t", "client-key": "x.key"}
    assert default_namespace(login) == "shop"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "is no kubeconfig"),
        ("clusters: x", "`clusters` must be a list"),
        ("users: [x]", "each of `users` needs a `name`"),
        ("users: [{name: a, user: x}]", "each of `users` needs a `name` and a mapping `user`"),
        ("contexts: [{name: 1}]", "each of `contexts`"),
        ("a: [", "line 2, column 1"),
        ("", "no current context"),
        ("current-context: x", "no context `x` (its `current-context`)"),
        ("{current-context: x, contexts: [{name: x, context: {cluster: k}}]}", "no cluster `k` (named by context `x`)"),
    ],
)
def test_broken_files(text: str, said: str, tmp_path: Path) -> None:
    """The file, what is wrong in it, and no traceback."""
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(UnreadableError) as caught:
        connect(Login(kubeconfig=str(path)))
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert default_namespace(Login(kubeconfig=str(path))) is None


def test_a_server_without_tls_is_told_no_secret(tmp_path: Path) -> None:
    """As kubectl: neither tokens nor certificates go over plain HTTP."""
    pytest.importorskip("kubernetes", reason="LOUD: no Kubernetes client: secrets over plain HTTP were NOT tested")
    path = _files(tmp_path, **{**HERE, "clusters": [{"name": "k", "cluster": {"server": "http://k"}}]})
    client = connect(Login(kubeconfig=path)).client
    assert client.configuration.auth_settings() == {}
    assert client.configuration.host == "http://k"


def test_impersonation_headers() -> None:
    """Groups, uid and extras come with a user only; what no header's name may hold is escaped, and text is sent in UTF-8."""
    assert headers_of({"as-groups": ["g"], "as-uid": "1"}) == ()
    found = headers_of({"as": "jörg", "as-uid": "1", "as-groups": ["g", "h"], "as-user-extra": {"a/b%": ["x", "y"]}})
    assert found == (
        ("Impersonate-User", "jörg".encode().decode("latin-1")),
        ("Impersonate-Uid", "1"),
        ("Impersonate-Group", "g"),
        ("Impersonate-Group", "h"),
        ("Impersonate-Extra-a%2Fb%25", "x"),
        ("Impersonate-Extra-a%2Fb%25", "y"),
    )


def test_groups_without_a_user_are_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--as"):
        connect(Login(kubeconfig=_files(tmp_path, **HERE), as_groups=("g",)))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "a.bnVsbA.c", "a.eyJleHAiOiAieCJ9.c", "a.eyJleHAiOiAxZTk5fQ.c"])
def test_tokens_that_say_no_end(token: str) -> None:
    assert token_end(token) == ""


def test_a_token_that_ran_out() -> None:
    assert token_end("a.eyJleHAiOiAxfQ.c") == "1970-01-01 00:00 UTC"
