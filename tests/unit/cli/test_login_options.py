"""kubectl's own options on every command that reads a cluster."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise

import pytest

from meshcheck.cli.login_options import login_of, login_words, seconds
from meshcheck.cli.main import COMMANDS, main
from meshcheck.cli.sources import source_words
from meshcheck.errors import UsageError

LIVE = [name for name in COMMANDS if name not in ("explain", "completion", "why")]
FLAGS = (
    "--context", "c", "--kubeconfig", "k", "--cluster", "l", "--user", "u", "-s", "https://s", "--token", "SECRET", "--username", "n",
    "--password", "SECRET", "--client-certificate", "crt", "--client-key", "key", "--certificate-authority", "ca",
    "--insecure-skip-tls-verify", "--tls-server-name", "t", "--proxy-url", "http://p", "--request-timeout", "1m30s",
    "--disable-compression", "--cache-dir", "d",
)  # fmt: skip
AS = ("--as", "w", "--as-group", "g", "--as-group", "h", "--as-uid", "7", "--as-user-extra", "a=b")
NEEDED = {"can": ("get", "pods"), "who-can": ("get", "pods"), "proxy": ("x",), "snapshot": ("-o", "x")}


@pytest.mark.parametrize("command", LIVE)
def test_every_command_takes_them(command: str) -> None:
    """And they reach the Login. In `can` and `who-can`, `--as` and its like are words of the question."""
    impersonates = command not in ("can", "who-can")
    parser = import_module(f"meshcheck.cli.{COMMANDS[command][0]}").parser()
    options = parser.parse_intermixed_args([*NEEDED.get(command, ()), *FLAGS, *(AS if impersonates else ())])
    login = login_of(options)
    assert (login.context, login.kubeconfig, login.cluster, login.user, login.server) == ("c", "k", "l", "u", "https://s")
    assert (login.token, login.username, login.password, login.proxy_url) == ("SECRET", "n", "SECRET", "http://p")
    assert (login.client_certificate, login.client_key, login.certificate_authority) == ("crt", "key", "ca")
    assert (login.insecure, login.tls_server_name, login.timeout) == (True, "t", 90.0)
    if impersonates:
        assert (login.as_user, login.as_groups, login.as_uid, login.as_extra) == ("w", ("g", "h"), "7", (("a", "b"),))
    assert "SECRET" not in login_words(options)
    assert "SECRET" not in source_words(options)
    words = login_words(options, secrets=True)
    assert ("--token", "SECRET") in pairwise(words)
    assert login_of(parser.parse_intermixed_args([*NEEDED.get(command, ()), *words, "--request-timeout", "90"])) == login


def test_switches_as_kubectl_writes_them() -> None:
    """`--switch=false` is none, and no switch takes the word behind it."""
    parser = import_module("meshcheck.cli.can").parser()
    for text, said in (("--insecure-skip-tls-verify=false", False), ("--insecure-skip-tls-verify=true", True)):
        assert login_of(parser.parse_intermixed_args([text, "get", "pods"])).insecure is said
    assert parser.parse_intermixed_args(["--insecure-skip-tls-verify", "get", "pods"]).words == ["get", "pods"]


@pytest.mark.parametrize(
    ("text", "found"),
    [("5", 5.0), ("30s", 30.0), ("1m30s", 90.0), ("1.5h", 5400.0), ("500ms", 0.5), (".5s", 0.5), ("0", 3600.0), ("0s", 3600.0)],
)
def test_times(text: str, found: float) -> None:
    assert seconds(text) == pytest.approx(found)


@pytest.mark.parametrize("text", ["", "x", "5x", "1.5", "-5", "-5s", "5 s", "s", "1m 30s", "٣", "1e3s"])
def test_times_that_are_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused wherever the sources are."""
    with pytest.raises(UsageError):
        seconds(text)
    assert main(["lint", "-f", ".", f"--request-timeout={text}"]) == 2
    assert "`--request-timeout`: write a time such as `5s`" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--as", "--as-group", "--token", "--as-uid"])
def test_who_asks_without_a_cluster_to_ask(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Files do not care who reads them: a token that stands there was meant for something else."""
    assert main(["trace", "-f", __file__, "--from", "a/b", "--to", "c/d", flag, "x"]) == 2
    err = capsys.readouterr().err
    assert f"`{flag}` says who asks the cluster, and the sources are files" in err
    assert ("`--jwt`" in err) == (flag == "--token")
