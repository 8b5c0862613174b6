"""Whether fields that must hold together can: as sets of texts, of which the common part is computed.

Where a field cannot be described exactly, a larger set stands for it, so that a conflict is never found where there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from meshcheck.model.istio_security import Field
from meshcheck.semantics.authorization.strings import host_pattern, path_pattern, text_pattern

if TYPE_CHECKING:
    from meshcheck.semantics.languages import Language

_SUBJECTS = {
    "principals": "identity", "source.principal": "identity", "namespaces": "identity", "source.namespace": "identity",
    "serviceAccounts": "identity", "source.serviceAccount": "identity",
    "ports": "port", "destination.port": "port", "connection.sni": "sni",
    "methods": "method", "request.headers[:method]": "method", "hosts": "host", "request.headers[:authority]": "host", "paths": "path",
}  # fmt: skip
"""Field or key → what it looks at, of which a request has one value."""
_SEGMENT = "[^/]+"


def conflict(fields: Iterable[Field], policy_namespace: str, trust_domains: Sequence[str]) -> tuple[Field, Field] | None:
    """Two fields that look at one thing and have no value of it in common; None where none is found."""
    by_subject: dict[str, list[Field]] = {}
    for field in fields:
        if field.name in _SUBJECTS and not field.negated:
            by_subject.setdefault(_SUBJECTS[field.name], []).append(field)
    for subject, found in by_subject.items():
        for left, right in combinations(found, 2):
            if _is_empty(subject, left, right, policy_namespace, trust_domains):
                return left, right
    return None


def _is_empty(subject: str, left: Field, right: Field, policy_namespace: str, trust_domains: Sequence[str]) -> bool:
    """Whether no value satisfies both; False where a field alone has none, or where that cannot be told."""
    if subject == "port":
        return {int(v) for v in left.values if v.isdigit()}.isdisjoint(int(v) for v in right.values if v.isdigit())
    from meshcheck.semantics.languages import NotRegularError, all_of, shortest

    try:
        one, other = (_language(subject, field, policy_namespace, trust_domains) for field in (left, right))
        return shortest(one) is not None and shortest(other) is not None and shortest(all_of([one, other])) is None
    except NotRegularError:
        return False


def _language(subject: str, field: Field, policy_namespace: str, trust_domains: Sequence[str]) -> Language:
    from meshcheck.analyse.regexes import language_of
    from meshcheck.semantics.expressions import parse
    from meshcheck.semantics.languages import all_of, any_of

    if subject == "identity":
        known = parse(f"{_SEGMENT}/ns/{_SEGMENT}/sa/{_SEGMENT}")
        return all_of([known, any_of(parse(_identity(field.name, value, policy_namespace, trust_domains)) for value in field.values)])
    if subject == "path":
        return language_of(tuple(path_pattern(value) for value in field.values))
    if subject == "host":
        return language_of(tuple(host_pattern(value) for value in field.values))
    return language_of(tuple(text_pattern(value, empty_counts=subject == "method") for value in field.values))


def _identity(name: str, value: str, policy_namespace: str, trust_domains: Sequence[str]) -> str:
    """A regular expression for the identities that a value names, without `spiffe://`; any trust domain where it is one of the mesh."""
    if name in ("namespaces", "source.namespace"):
        inner = ".*".join(re.escape(part) for part in value.split("*"))
        return f"{_SEGMENT}/ns/{inner}/sa/{_SEGMENT}"
    if name in ("serviceAccounts", "source.serviceAccount"):
        namespace, slash, account = value.partition("/")
        if not slash:
            namespace, account = policy_namespace, value
        return f"{_SEGMENT}/ns/{re.escape(namespace)}/sa/{re.escape(account)}"
    if value.startswith("*"):
        return ".*" + re.escape(value[1:])
    domain, slash, rest = value.removesuffix("*").partition("/")
    open_domain = bool(slash) and domain in ("cluster.local", *trust_domains)
    head = f"{_SEGMENT}/{re.escape(rest)}" if open_domain else re.escape(value.removesuffix("*"))
    return head + (".*" if value.endswith("*") else "")
