"""kubectl's own options: who asks which cluster, and over which way. One table makes parser, Login, and words of other commands."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from meshcheck.errors import UsageError
from meshcheck.model.pattern import pattern
from meshcheck.model.record import NamedTuple

if TYPE_CHECKING:
    from meshcheck.load.cluster import Login

DEFAULT_TIMEOUT = "30s"
_UNLIMITED = 3600.0
"""Seconds that stand for no limit: a request without any would wait for ever for a server that has gone."""
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = pattern(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


class Flag(NamedTuple):
    """One option. `field` is that of the Login; `shown`: a line of its own in `--help`; `names`: it says which cluster is meant."""

    option: str
    field: str
    metavar: str
    about: str
    shown: bool = False
    names: bool = False
    identity: bool = False
    secret: bool = False


FLAGS = (
    Flag("--context", "context", "CONTEXT", "context of the kubeconfig", True, True),
    Flag("--kubeconfig", "kubeconfig", "FILE", "kubeconfig ($KUBECONFIG, ~/.kube/config; in a pod, its service account)", True, True),
    Flag("--as", "as_user", "WHO", "read as another user (impersonation)", True, identity=True),
    Flag("--as-group", "as_groups", "GROUP", "read as a group; repeatable", True, identity=True),
    Flag("--as-uid", "as_uid", "UID", "UID to read as", identity=True),
    Flag("--as-user-extra", "as_extra", "KEY=VALUE", "extra of the user to read as; repeatable", identity=True),
    Flag("--cluster", "cluster", "CLUSTER", "cluster of the kubeconfig", names=True),
    Flag("--user", "user", "USER", "user of the kubeconfig", names=True),
    Flag("--server", "server", "URL", "address and port of the API server", names=True),
    Flag("--token", "token", "TOKEN", "bearer token for the API server", identity=True, secret=True),
    Flag("--username", "username", "NAME", "name for basic authentication to the API server", identity=True),
    Flag("--password", "password", "PASSWORD", "password for basic authentication to the API server", identity=True, secret=True),
    Flag("--client-certificate", "client_certificate", "FILE", "client certificate for TLS"),
    Flag("--client-key", "client_key", "FILE", "key of the client certificate"),
    Flag("--certificate-authority", "certificate_authority", "FILE", "certificate of the authority that the API server's is checked with"),
    Flag("--insecure-skip-tls-verify", "insecure", "", "do not check the API server's certificate"),
    Flag("--tls-server-name", "tls_server_name", "NAME", "name that the API server's certificate is checked for"),
    Flag("--proxy-url", "proxy_url", "URL", "proxy between here and the API server"),
)
_ACCEPTED = (("--disable-compression", ""), ("--cache-dir", "DIR"))
"""Options of kubectl that change nothing here: nothing is compressed, and nothing kept."""
_OF_A_QUESTION = frozenset(["--as", "--as-group", "--as-uid", "--as-user-extra"])
"""What `can` asks about, where other commands read as it."""


class _Quiet(argparse.Action):
    """An option that `--help` names in a sentence, and completion offers with its meaning. `about` is that."""

    def __init__(self, about: str, repeated: bool = False, **given: Any) -> None:
        super().__init__(help=argparse.SUPPRESS, **given)
        self.about, self.repeated = about, repeated

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None) -> None:
        found = True if self.nargs == 0 else values
        setattr(namespace, self.dest, [*(getattr(namespace, self.dest) or []), found] if self.repeated else found)


def add_login_options(group: argparse._ArgumentGroup, *, asks_for_others: bool = False) -> None:
    """Give a command kubectl's options. `asks_for_others`: `--as` and its like are words of the command's question."""
    for flag in FLAGS:
        if asks_for_others and flag.option in _OF_A_QUESTION:
            continue
        repeated = flag.field in ("as_groups", "as_extra")
        more: dict[str, Any] = {"dest": f"login_{flag.field}", "metavar": flag.metavar, "default": [] if repeated else None}
        if flag.shown:
            group.add_argument(flag.option, action="append" if repeated else "store", help=flag.about, **more)
            continue
        names = ["-s", flag.option] if flag.option == "--server" else [flag.option]
        if not flag.metavar:
            more |= {"nargs": 0, "metavar": None, "default": False}
        group.add_argument(*names, action=_Quiet, about=flag.about, repeated=repeated, **more)
    for option, metavar in _ACCEPTED:
        more = {"metavar": metavar} if metavar else {"nargs": 0}
        group.add_argument(option, action=_Quiet, about="accepted as kubectl does; changes nothing here", dest="accepted", **more)
    group.add_argument(
        "--request-timeout",
        metavar="DURATION",
        type=_timeout,
        default=DEFAULT_TIMEOUT,
        help="longest time of one request: `5s`, `1m30s`; `0` is no limit (30s)",
    )
    quiet = [flag.option for flag in FLAGS if not flag.shown and not (asks_for_others and flag.option in _OF_A_QUESTION)]
    quiet[quiet.index("--server")] = "-s/--server"
    group.description = _lines("Also, as kubectl has them (`kubectl options`):", quiet)


def login_of(options: argparse.Namespace) -> Login:
    """Who asks which cluster."""
    from meshcheck.load.cluster import Login

    given: dict[str, Any] = {flag.field: getattr(options, f"login_{flag.field}", None) for flag in FLAGS}
    groups, extra = given["as_groups"] or (), given["as_extra"] or ()
    login = Login(
        **{
            **given,
            "as_groups": tuple(groups),
            "as_extra": tuple(_pair(text) for text in extra),
            "insecure": bool(given["insecure"]),
            "timeout": seconds(options.request_timeout),
        }
    )
    return login


def names_a_cluster(options: argparse.Namespace) -> bool:
    """Whether the options say which cluster is meant."""
    return any(getattr(options, f"login_{flag.field}", None) for flag in FLAGS if flag.names)


def idle_identity(options: argparse.Namespace) -> str | None:
    """The first option that says who asks a cluster, for a command that asks none."""
    return next((flag.option for flag in FLAGS if flag.identity and getattr(options, f"login_{flag.field}", None)), None)


def login_words(options: argparse.Namespace, *, secrets: bool = False, identity: bool = True) -> tuple[str, ...]:
    """The options as words of a command line, the same for kubectl; tokens and passwords only for a command that is run here.

    `identity`: with those that say who asks.
    """
    return tuple(_words(options, [flag for flag in FLAGS if (secrets or not flag.secret) and (identity or not flag.identity)]))


def _words(options: argparse.Namespace, flags: Sequence[Flag]) -> Iterator[str]:
    for flag in flags:
        found = getattr(options, f"login_{flag.field}", None)
        if not found:
            continue
        if found is True:
            yield flag.option
        elif isinstance(found, list):
            yield from (word for one in found for word in (flag.option, str(one)))
        else:
            yield from (flag.option, str(found))


def seconds(text: str) -> float:
    """A time as kubectl takes it: whole seconds, or numbers with units; `0` is no limit. Raises UsageError.

    Source: kubernetes/client-go:tools/clientcmd/config.go:ParseTimeout; Go's time.ParseDuration.
    """
    if text.isascii() and text.isdigit():
        return float(text) or _UNLIMITED
    found = _PART.findall(text)
    if not found or "".join(number + unit for number, unit in found) != text:
        raise UsageError(f"`--request-timeout {text}`: write a time such as `5s`, `1m30s`, or whole seconds; `0` is no limit")
    return sum(float(number) * _UNITS[unit] for number, unit in found) or _UNLIMITED


def _timeout(text: str) -> str:
    try:
        seconds(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error).partition(": ")[2]) from None
    return text


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise UsageError(f"`--as-user-extra {text}`: write KEY=VALUE")
    return key, value


def _lines(start: str, words: Sequence[str]) -> str:
    """Words with commas, in lines; `textwrap` would cost each start of the program a millisecond."""
    lines = [start]
    for number, word in enumerate(words):
        shown = f" {word}{'.' if number + 1 == len(words) else ','}"
        if len(lines[-1]) + len(shown) > 96:
            lines.append("")
        lines[-1] += shown if lines[-1] else shown[1:]
    return "\n".join(lines)
