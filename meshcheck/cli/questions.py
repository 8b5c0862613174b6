"""Questions: from a line of a batch, or from the words of the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from meshcheck.cli.callers import caller_of, target_of
from meshcheck.decode.urls import split_url
from meshcheck.errors import UsageError
from meshcheck.model.question import Caller, Question, Target

PROTOCOLS = ("http", "https", "grpc", "tls", "tcp", "udp", "sctp")

_CALLER_TEXTS = ("namespace", "workload", "pod", "service_account", "ip", "trust_domain")
_CALLER_FLAGS = ("node", "external", "plaintext", "mtls")
_TARGET_TEXTS = ("namespace", "workload", "pod", "service", "ip")


def question_of(line: Mapping[str, Any]) -> Question:
    """A question of a batch, as the contract writes it; `from` and `to` may also be words of the command line. Raises UsageError."""
    caller_in, target_in = _side(line.get("from"), caller_of), _side(line.get("to"), target_of)
    if not isinstance(caller_in, dict) or not isinstance(target_in, dict):
        raise UsageError("a question needs `from` and `to`, each an object or the words of the command line")
    protocol, path, host = _text(line, "protocol") or "http", _text(line, "path") or "/", None
    port = _port(target_in)
    url = _text(target_in, "url")
    if url:
        protocol, host, url_port, path = split_url(url)
        port = url_port or port
        path = _text(line, "path") or path
    if protocol not in PROTOCOLS:
        raise UsageError(f"`protocol`: `{protocol}` is none of {', '.join(PROTOCOLS)}")
    caller = Caller(
        **_texts(caller_in, _CALLER_TEXTS),
        **_flags(caller_in, _CALLER_FLAGS),
    )
    via = target_in.get("via")
    target = Target(
        host=host,
        port=port,
        via=via if isinstance(via, dict) else None,
        **_texts(target_in, _TARGET_TEXTS),
    )
    claims = line.get("claims")
    return Question(
        caller=caller,
        target=target,
        protocol=protocol,
        method=_text(line, "method") or default_method(protocol),
        path=path,
        host=_text(line, "host"),
        headers=headers_of(line.get("headers")),
        claims=claims if isinstance(claims, dict) else None,
        jwt=_text(line, "jwt"),
        source_ip=_text(line, "source_ip"),
        origin=_text(line, "origin"),
        sni=_text(line, "sni"),
        network_policy_only=line.get("layer") == "network-policy",
    )


def _side(given: Any, read: Callable[[str, None], Caller | Target]) -> Any:
    """A caller or target as an object of the contract."""
    if not isinstance(given, str):
        return given
    if "://" in given and read is target_of:
        return {"url": given}
    found = read(given, None)
    names: tuple[str, ...] = found.__slots__  # type: ignore[union-attr]
    return {name: value for name in names if (value := getattr(found, name)) not in (None, False)}


def default_method(protocol: str) -> str:
    """gRPC is POST."""
    return "POST" if protocol == "grpc" else "GET"


def headers_of(value: Any) -> dict[str, tuple[str, ...]]:
    """Headers by lower-case name. A value is a text or a list of texts."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError("`headers` must be an object of names and values")
    out: dict[str, tuple[str, ...]] = {}
    for name, given in value.items():
        lines = tuple(str(item) for item in (given if isinstance(given, list) else [given]))
        out[name.lower()] = (*out.get(name.lower(), ()), *lines)
    return out


def _texts(value: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Those of some texts that are there."""
    return {name: _text(value, name) for name in names if name in value}


def _flags(value: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Those of some flags that are set."""
    return {name: True for name in names if value.get(name) is True}


def _text(value: Mapping[str, Any], name: str) -> str | None:
    found = value.get(name)
    if found is None:
        return None
    if not isinstance(found, str):
        raise UsageError(f"`{name}` must be a text")
    return found


def _port(value: Mapping[str, Any]) -> int | None:
    found = value.get("port")
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found < 65536:
        raise UsageError(f"`port` must be a number from 1 to 65535, not `{found}`")
    return found
