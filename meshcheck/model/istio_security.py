"""Istio's security kinds as they were written, with the path of every condition.

Source: istio/api:security/v1/*.proto; semantics in meshcheck/semantics/authorization and authentication.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import record, value


@value
class TargetRef:
    """What a policy attaches to, instead of a selector."""

    group: str
    kind: str
    name: str


@record
class Attachment:
    """Selector and targets of a policy. `selector` None means all workloads in its scope."""

    selector: Mapping[str, str] | None
    targets: tuple[TargetRef, ...]


@value
class Field:
    """One list of values of a rule: `name` is the field (`principals`) or the key of a `when`; `negated` for its not-twin."""

    name: str
    values: tuple[str, ...]
    negated: bool
    path: Path


@record
class Rule:
    """One rule: any of `sources`, and any of `operations`, and all of `conditions`. An empty tuple asks for nothing."""

    index: int
    sources: tuple[tuple[Field, ...], ...]
    operations: tuple[tuple[Field, ...], ...]
    conditions: tuple[Field, ...]


@record
class AuthorizationPolicy:
    """An AuthorizationPolicy. `action` is ALLOW, DENY, AUDIT or CUSTOM."""

    meta: Meta
    attachment: Attachment
    action: str
    rules: tuple[Rule, ...]
    provider: str | None
    dry_run: bool


@value
class TokenHeader:
    """A header that may hold a token, and what stands before it."""

    name: str
    prefix: str


@record
class JwtRule:
    """One issuer of a RequestAuthentication. `jwks` is the inline key set as text."""

    issuer: str
    audiences: tuple[str, ...]
    jwks: str | None
    jwks_uri: str | None
    headers: tuple[TokenHeader, ...]
    params: tuple[str, ...]
    cookies: tuple[str, ...]
    forward: bool
    space_delimited: tuple[str, ...]
    claim_headers: tuple[tuple[str, str], ...]
    """(header, claim) of `outputClaimToHeaders`."""
    payload_header: str
    path: Path


@record
class RequestAuthentication:
    """A RequestAuthentication."""

    meta: Meta
    attachment: Attachment
    rules: tuple[JwtRule, ...]


@record
class PeerAuthentication:
    """A PeerAuthentication. Modes are UNSET, DISABLE, PERMISSIVE or STRICT; `ports` by workload port."""

    meta: Meta
    selector: Mapping[str, str] | None
    mode: str
    ports: Mapping[int, str]
