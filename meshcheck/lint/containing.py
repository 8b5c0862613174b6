"""Whether all that a value of one field matches is matched by a value of another field on the same attribute."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from meshcheck.lint import patterns
from meshcheck.model.istio_security import Field
from meshcheck.model.objects import Path
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.authorization.peers import SCHEME
from meshcheck.semantics.authorization.tests import WHEN, Test

_TEXTS = ("method", "path", "authority", "sni")


class Known(NamedTuple):
    """What is known of an attribute: a field of a rule that holds."""

    attribute: str
    field: Field
    path: Path = ()
    """The place of its only value, where the field has more in the policy."""


def value_within(inner: Known, outer: Test, number: int, trust_domains: tuple[str, ...]) -> bool:
    """Whether what the only value of `inner` matches is matched by the value of `outer` with a number. False where it is not certain."""
    value, wide = inner.field.values[0], outer.field.values[number]
    attribute = inner.attribute
    if attribute in ("source_ip", "remote_ip", "destination_ip"):
        return _block_within(value, wide)
    things = _all_of(attribute, inner, value, trust_domains)
    if things:
        return all(outer.matches[number](thing) for thing in things)
    alike = _kind(inner) == _kind(outer)
    if attribute == "principal":
        if wide == "*" and _kind(outer) == "principals":
            return True
        return alike and value == wide and (_kind(inner) != "serviceAccounts" or "/" in value)
    if attribute == "claim:iss/sub":
        return wide == "*" or value == wide
    return alike and patterns.covers(wide.lower(), value.lower()) if attribute == "authority" else alike and patterns.covers(wide, value)


def _all_of(attribute: str, inner: Known, value: str, trust_domains: tuple[str, ...]) -> tuple[Any, ...]:
    """All that a value matches, as the tests on its attribute take it; empty for patterns, and where that is not known."""
    if "*" in value:
        return ()
    if attribute in _TEXTS or attribute.startswith("header:"):
        return () if attribute == "path" and "{" in value else (value,)
    if attribute == "destination_port":
        return (int(value),) if value.isdigit() else ()
    if attribute == "principal" and _kind(inner) == "principals":
        first, slash, rest = value.partition("/")
        domains = trust_domains if first in (*trust_domains, "cluster.local") and value.count("/") == 4 else (first,)
        return tuple(f"{SCHEME}{domain}{slash}{rest}" for domain in domains)
    if attribute == "claim:iss/sub":
        issuer, slash, subject = value.rpartition("/")
        return ({"iss": issuer if slash else subject, "sub": subject if slash else ""},)
    return ()


def _kind(test: Test | Known) -> str:
    return WHEN.get(test.field.name, test.field.name)


def _block_within(value: str, wide: str) -> bool:
    try:
        inner, outer = ip_network(value, strict=False), ip_network(wide, strict=False)
    except ValueError:
        return False
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
