"""Tests on the identity in the peer's certificate.

Sources: istio/istio:pilot/pkg/security/authz/model/generator.go; pilot/pkg/security/trustdomain/bundle.go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from meshcheck.semantics.authorization.strings import Match
from meshcheck.semantics.watching import SOME, Pattern

SCHEME = "spiffe://"


def compile_principal(value: str, trust_domains: Sequence[str]) -> Match:
    """A principal without its scheme, in every trust domain that stands for the one it names."""
    matches = [literal_principal(each) for each in in_all_domains(value, tuple(trust_domains))]
    return matches[0] if len(matches) == 1 else lambda san: any(match(san) for match in matches)


def literal_principal(value: str) -> Match:
    """A principal without its scheme, as it is written: no trust domain stands for another."""
    if value == "*":
        return bool
    if value.startswith("*"):
        tail = value[1:]
        return lambda san: san.startswith(SCHEME) and len(san) >= len(SCHEME) + len(tail) and san.endswith(tail)
    if value.endswith("*"):
        head = SCHEME + value[:-1]
        return lambda san: san.startswith(head)
    return (SCHEME + value).__eq__


@lru_cache(maxsize=65536)
def in_all_domains(value: str, trust_domains: tuple[str, ...]) -> tuple[str, ...]:
    """Rewriting of trust domain aliases: only of five-part values whose first part is not `*`.

    `cluster.local` always means the mesh's own trust domain.
    """
    parts = value.split("/")
    if len(parts) != 5 or parts[0] == "*":
        return (value,)
    first = parts[0]
    if first != "cluster.local" and not any(_domain_matches(known, first) for known in trust_domains):
        return (value,)
    out = []
    for known in trust_domains:
        kept = first if _suffix_or_prefix(first) and _domain_matches(known, first) else known
        out.append("/".join([kept, *parts[1:]]))
    return tuple(dict.fromkeys(out))


def _suffix_or_prefix(value: str) -> bool:
    return value.startswith("*") or value.endswith("*")


def _domain_matches(known: str, written: str) -> bool:
    """Equal, or equal by a star in either of them."""
    if written.startswith("*"):
        return known.endswith(written[1:])
    if written.endswith("*"):
        return known.startswith(written[:-1])
    if known.startswith("*"):
        return written.endswith(known[1:])
    if known.endswith("*"):
        return written.startswith(known[:-1])
    return known == written


def principal_patterns(name: str, value: str, trust_domains: Sequence[str], policy_namespace: str) -> tuple[Pattern, ...]:
    """What the test of a field (principals, namespaces, serviceAccounts, trustDomains) compares with, for who watches."""
    if name == "principals":
        return tuple(literal_pattern(each) for each in in_all_domains(value, tuple(trust_domains)))
    if name == "namespaces":
        return (Pattern("contains", f"/ns/{value}/") if "*" not in value else Pattern("regex", namespace_expression(value)),)
    if name == "serviceAccounts":
        return (Pattern("regex", service_account_expression(value, policy_namespace)),)
    if value == "*" or "*" in value:
        return (Pattern("prefix", SCHEME) if value == "*" else Pattern("regex", trust_domain_expression(value)),)
    names = trust_domains if value in trust_domains or value == "cluster.local" else (value,)
    return tuple(Pattern("prefix", f"{SCHEME}{each}/") for each in names)


def literal_pattern(value: str) -> Pattern:
    """What `literal_principal` compares with, for who watches."""
    if value == "*":
        return SOME
    if value.startswith("*"):
        return Pattern("regex", f"{SCHEME}.*{re.escape(value[1:])}")
    return Pattern("prefix", SCHEME + value[:-1]) if value.endswith("*") else Pattern("exact", SCHEME + value)


def compile_namespace(value: str) -> Match:
    """A namespace; every star stands for any text."""
    if "*" not in value:
        inside = f"/ns/{value}/"
        return lambda san: inside in san
    whole = re.compile(namespace_expression(value))
    return lambda san: whole.fullmatch(san) is not None


def compile_service_account(value: str, policy_namespace: str) -> Match:
    """`NAMESPACE/NAME`, or `NAME` in the policy's own namespace; any trust domain."""
    whole = re.compile(service_account_expression(value, policy_namespace))
    return lambda san: whole.fullmatch(san) is not None


def namespace_expression(value: str) -> str:
    """A namespace with stars, as a regular expression."""
    return f".*/ns/{'.*'.join(re.escape(part) for part in value.split('*'))}/.*"


def service_account_expression(value: str, policy_namespace: str) -> str:
    """A service account, as a regular expression."""
    namespace, slash, name = value.partition("/")
    if not slash:
        namespace, name = policy_namespace, value
    return f"spiffe://.+/ns/{re.escape(namespace)}/(.+/|)sa/{re.escape(name)}(/.+)?"


def trust_domain_expression(value: str) -> str:
    """A trust domain with a star, as a regular expression."""
    return f"{SCHEME}{'[^/]*'.join(re.escape(part) for part in value.split('*'))}/.*"


def compile_trust_domain(value: str, trust_domains: Sequence[str]) -> Match:
    """A trust domain; one star at an end stands for text without a slash. A known domain stands for all known ones."""
    if value == "*":
        return lambda san: san.startswith(SCHEME)
    if "*" in value:
        whole = re.compile(trust_domain_expression(value))
        return lambda san: whole.fullmatch(san) is not None
    names = tuple(trust_domains) if value in trust_domains or value == "cluster.local" else (value,)
    heads = tuple(f"{SCHEME}{name}/" for name in names)
    return lambda san: san.startswith(heads)
