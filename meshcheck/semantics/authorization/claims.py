"""Tests on the claims of a verified token.

Source: istio/istio:pilot/pkg/security/authz/model/generator.go:requestPrincipalGenerator,requestClaimGenerator, util.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from meshcheck.semantics.authorization.strings import Match, compile_text, text_pattern
from meshcheck.semantics.watching import Pattern

Payload = Mapping[str, Any]
Check = Callable[[Payload], bool]


def compile_request_principal(value: str) -> Check:
    """`ISSUER/SUBJECT`, cut at the last slash; stars make either side open."""
    issuer, slash, subject = value.rpartition("/")
    issuer_ok: Match
    subject_ok: Match
    if value == "*":
        issuer_ok, subject_ok = bool, bool
    elif not slash:
        if value.startswith("*"):
            issuer_ok, subject_ok = bool, compile_text(value)
        elif value.endswith("*"):
            issuer_ok, subject_ok = compile_text(value), bool
        else:
            issuer_ok, subject_ok = value.__eq__, "".__eq__
    elif value.startswith("*"):
        issuer_ok, subject_ok = compile_text(issuer), subject.__eq__
    elif value.endswith("*"):
        issuer_ok, subject_ok = issuer.__eq__, compile_text(subject)
    else:
        issuer_ok, subject_ok = issuer.__eq__, subject.__eq__

    def check(payload: Payload) -> bool:
        iss, sub = payload.get("iss"), payload.get("sub")
        return isinstance(iss, str) and isinstance(sub, str) and issuer_ok(iss) and subject_ok(sub)

    return check


def request_principal_patterns(value: str) -> tuple[Pattern, Pattern]:
    """What `compile_request_principal` compares the issuer and the subject with."""
    issuer, slash, subject = value.rpartition("/")
    exact = Pattern("exact", issuer), Pattern("exact", subject)
    if value == "*":
        return Pattern("some"), Pattern("some")
    if not slash:
        if value.startswith("*"):
            return Pattern("some"), text_pattern(value)
        return (text_pattern(value), Pattern("some")) if value.endswith("*") else (Pattern("exact", value), Pattern("exact"))
    if value.startswith("*"):
        return text_pattern(issuer), exact[1]
    return (exact[0], text_pattern(subject)) if value.endswith("*") else exact


def compile_claim(keys: tuple[str, ...], value: str) -> Check:
    """A claim, nested by keys: a text that matches, or a list that holds one. Numbers and booleans never match."""
    match = compile_text(value)

    def check(payload: Payload) -> bool:
        found: Any = payload
        for key in keys:
            if not isinstance(found, Mapping) or key not in found:
                return False
            found = found[key]
        if isinstance(found, str):
            return match(found)
        return isinstance(found, list) and any(isinstance(item, str) and match(item) for item in found)

    return check


def claim_keys(bracketed: str) -> tuple[str, ...]:
    """`[a][b]` → ("a", "b"); text that is no chain of groups is one key, made of all between the outer brackets."""
    keys, rest = [], bracketed
    while rest:
        if not rest.startswith("["):
            return (bracketed[1:-1],)
        end = rest.find("]")
        if end < 2 or "[" in rest[1:end]:
            return (bracketed[1:-1],)
        keys.append(rest[1:end])
        rest = rest[end + 1 :]
    return tuple(keys)
