"""Requests as Cilium's proxy sees them, and its rules for them.

Sources: cilium/cilium:pkg/envoy/policy/envoy_l7_rules_translator.go (getHTTPRule); cilium/proxy:cilium/l7policy.cc (403 `Access denied`).
"""

from __future__ import annotations

import re

from meshcheck.model.cilium import HeaderWanted, HttpRule
from meshcheck.model.trace import Symptom
from meshcheck.semantics import watching
from meshcheck.semantics.expressions import fits
from meshcheck.semantics.network_policy.travelling import Request
from meshcheck.semantics.watching import ANY, Pattern

DENIED = Symptom("http", 403, "Access denied\r\n")
GUESSED = frozenset(
    (
        *("user-agent", "accept", "accept-encoding", "connection", "content-length", "content-type", "referer"),
        *("x-forwarded-proto", "x-request-id", "x-forwarded-for"),
    )
)
"""Headers that clients and proxies add by themselves."""


def whole(text: str, value: str) -> bool:
    """Whether a regular expression matches the whole of a text."""
    return fits(text, value)


def admits(rule: HttpRule, request: Request) -> bool | None:
    """Whether a rule lets a request through; None where a header that decides is not known."""
    answers: list[bool | None] = [
        _text("method", rule.method, request.method),
        _target(rule.path, request.path),
        _text("authority", rule.host, request.authority),
        *(has(wanted, request) for wanted in rule.headers),
    ]
    return False if False in answers else None if None in answers else True


def _text(part: str, wanted: str, actual: str) -> bool:
    if not wanted:
        return True
    outcome = whole(wanted, actual)
    if watching.by is not None:
        watching.by.text(part, (Pattern("regex", wanted),), actual, outcome)
    return outcome


def _target(wanted: str, target: str) -> bool:
    if not wanted:
        return True
    outcome = whole(wanted, target)
    if watching.by is not None:
        path, mark, query = target.partition("?")
        watching.by.target((Pattern("regex", wanted),), path, mark + query, outcome)
    return outcome


def has(wanted: HeaderWanted, request: Request) -> bool | None:
    """Whether a request has a header as a rule wants it."""
    name = wanted.name.lower()
    lines = request.headers.get(name)
    if wanted.secret or name.startswith(":"):
        if watching.by is not None:
            watching.by.opaque(f"a rule of Cilium compares {wanted.name} with what is not in the input")
        return None
    outcome = lines is not None and (wanted.value is None or ",".join(lines) == wanted.value)
    if watching.by is not None:
        pattern = ANY if wanted.value is None else Pattern("exact", wanted.value)
        watching.by.header(name, (pattern,), lines, outcome, joined=True)
    return None if lines is None and name in GUESSED else outcome


def example(rule: HttpRule) -> tuple[str, str] | None:
    """A method and a path that a rule lets through, where its expressions are simple enough to see one."""
    if rule.host or rule.headers:
        return None
    method = re.split(r"\|", rule.method.strip("^$()"))[0] or "GET"
    path = re.sub(r"\.[*+]|\[[^]]*\][*+]?", "1", rule.path.strip("^$")) or "/"
    path = path.replace("\\.", ".").replace("(1)", "1").replace("/?", "/")
    fits = (not rule.method or whole(rule.method, method)) and (not rule.path or whole(rule.path, path))
    return (method, path) if fits and path.startswith("/") else None
