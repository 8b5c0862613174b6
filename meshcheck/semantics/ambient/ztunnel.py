"""What ztunnel is told of an AuthorizationPolicy, and whether a rule of it holds for a connection.

ztunnel sees connections, not requests. Of an ALLOW policy every rule with an HTTP attribute is left out; of a DENY policy the attributes
vanish and the rest of the rule stays. What has become empty matches nothing.

Sources: istio/istio:pilot/pkg/serviceregistry/ambient/authorization.go:convertAuthorizationPolicy, handleRule;
istio/ztunnel:src/rbac.rs:Authorization::matches, RbacMatch::is_empty.
"""

from __future__ import annotations

from meshcheck.model.istio_security import AuthorizationPolicy, Field, Rule
from meshcheck.model.record import NamedTuple

_FIELDS = ("ports", "ipBlocks", "namespaces", "serviceAccounts", "principals")
_KEYS = ("source.ip", "source.namespace", "source.principal", "destination.ip", "destination.port")
KEPT = frozenset([*_FIELDS, *_KEYS])
"""Fields and keys of `when` that ztunnel understands."""
_FORGOTTEN = frozenset(["trustDomains"])
"""Neither sent to ztunnel nor counted as something that it cannot do."""
_IDENTITY = {
    "principals": "principal",
    "source.principal": "principal",
    "namespaces": "namespace",
    "source.namespace": "namespace",
    "serviceAccounts": "account",
}


class Match(NamedTuple):
    """One entry of `from`, `to` or `when`: what ztunnel is told of it, and what it is not."""

    kept: tuple[Field, ...]
    lost: tuple[Field, ...]


class Translated(NamedTuple):
    """One rule as ztunnel has it. All clauses must hold; a clause holds where one of its entries does, and empty entries never do."""

    rule: Rule
    clauses: tuple[tuple[Match, ...], ...]
    left_out: bool
    """A rule of an ALLOW policy with HTTP attributes: ztunnel never gets it."""
    namespace: str
    """Of the policy: a service account without a namespace is one of this."""

    @property
    def lost(self) -> tuple[Field, ...]:
        """HTTP attributes, in the order of the rule."""
        return tuple(f for clause in self.clauses for match in clause for f in match.lost if f.name not in _FORGOTTEN)

    @property
    def void(self) -> tuple[Match, ...]:
        """The entries of the first clause of which nothing is left: the rule never matches. Empty where there is no such clause."""
        return next((clause for clause in self.clauses if not any(match.kept for match in clause)), ())

    def holds(self, peer: Peer, port: int) -> bool | None:
        """Whether the rule holds for a connection; None where that hangs on an address."""
        if self.left_out:
            return False
        result: bool | None = True
        for clause in self.clauses:
            one = _any(clause, peer, port, self.namespace)
            if one is False:
                return False
            result = result and one
        return result


class Peer(NamedTuple):
    """Who connects: its identity. `trust_domain` None where it is not known: then the one that a rule names is taken for it."""

    trust_domain: str | None
    namespace: str
    account: str


def is_sent(policy: AuthorizationPolicy) -> bool:
    """Whether ztunnel gets the policy at all."""
    return not policy.attachment.targets and policy.action in ("ALLOW", "DENY") and not policy.dry_run and policy.attachment.selector != {}


def translate(policy: AuthorizationPolicy) -> tuple[Translated, ...]:
    """The rules of an ALLOW or DENY policy as ztunnel has them."""
    out = []
    for rule in policy.rules:
        clauses = [tuple(told(fields) for fields in group) for group in (rule.operations, rule.sources) if group]
        clauses += [(told((field,)),) for field in rule.conditions]
        one = Translated(rule, tuple(clauses), False, policy.meta.namespace)
        out.append(one._replace(left_out=policy.action == "ALLOW" and bool(one.lost)))
    return tuple(out)


def told(fields: tuple[Field, ...]) -> Match:
    """What ztunnel is told of one entry of a rule."""
    return Match(tuple(f for f in fields if f.name in KEPT), tuple(f for f in fields if f.name not in KEPT))


def _any(clause: tuple[Match, ...], peer: Peer, port: int, own: str) -> bool | None:
    answers = [_every(match, peer, port, own) for match in clause if match.kept]
    return True if True in answers else None if None in answers else False


def _every(match: Match, peer: Peer, port: int, own: str) -> bool | None:
    answers = [_field(field, peer, port, own) for field in match.kept]
    return False if False in answers else None if None in answers else True


def _field(field: Field, peer: Peer, port: int, own: str) -> bool | None:
    if field.name in ("ports", "destination.port"):
        return (str(port) in field.values) != field.negated
    kind = _IDENTITY.get(field.name)
    if kind is None:
        return None
    return any(_is(kind, value, peer, own) for value in field.values) != field.negated


def _is(kind: str, value: str, peer: Peer, own: str) -> bool:
    if kind == "namespace":
        return _text(value, peer.namespace)
    if kind == "account":
        namespace, slash, name = value.rpartition("/")
        return name == peer.account and (namespace if slash else own) == peer.namespace
    domain = peer.trust_domain
    if domain is None:
        domain = "" if value.startswith("*") else value.partition("/")[0].rstrip("*")
    return _text(value, f"{domain}/ns/{peer.namespace}/sa/{peer.account}")


def _text(pattern: str, text: str) -> bool:
    """A star alone, before or after the text; inside it is an ordinary letter."""
    if pattern == "*":
        return bool(text)
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern
