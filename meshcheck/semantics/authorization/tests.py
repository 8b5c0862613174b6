"""One field of a rule, compiled: the values it asks for and what a call has there.

Source: istio/istio:pilot/pkg/security/authz/model/generator.go; Envoy's RBAC matchers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshcheck.model.istio_security import Field
from meshcheck.model.mesh_config import MeshConfig
from meshcheck.semantics import watching
from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.authorization import claims, peers
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.strings import compile_host, compile_path, compile_text, host_pattern, path_pattern, text_pattern
from meshcheck.semantics.header_lines import is_one_value, values_of
from meshcheck.semantics.watching import ANY, Pattern, Watcher

_HTTP_ONLY = frozenset(
    ["hosts", "methods", "paths", "requestPrincipals", "request.auth.principal", "request.auth.audiences", "request.auth.presenter"]
)
_PEER = frozenset(["principals", "namespaces", "serviceAccounts", "trustDomains"])
WHEN = {
    "source.principal": "principals",
    "source.namespace": "namespaces",
    "source.serviceAccount": "serviceAccounts",
    "source.trustDomain": "trustDomains",
    "source.ip": "ipBlocks",
    "remote.ip": "remoteIpBlocks",
    "request.auth.principal": "requestPrincipals",
    "destination.port": "ports",
}
"""`when` keys that are twins of fields."""
Tell = Callable[[Watcher, Attributes, bool], None]
_ADDRESSES = {"ipBlocks": "source_ip", "remoteIpBlocks": "remote_ip", "destination.ip": "destination_ip"}


class Test:
    """One field of a rule, or one side of a `when`. `holds` is None when the question does not give the attribute."""

    __slots__ = ("_check", "_tell", "attribute", "field", "http_only", "matches", "needs")
    fact = ""
    """What an undecided test waits for, where that is no attribute of the call."""

    def __init__(
        self,
        field: Field,
        attribute: str,
        http_only: bool,
        matches: tuple[Callable[[Any], bool], ...],
        check: Callable[[Attributes], bool],
        tell: Tell | None,
    ) -> None:
        self.field = field
        self.attribute = attribute
        """Which attribute it looks at: a name of `Attributes`, `header:NAME` or `claim:PATH`."""
        self.http_only = http_only
        self.matches = matches
        """One function for each of the field's values, in their order."""
        self._check = check
        self._tell = tell
        """Tells a watcher what the check compares with what; None where it looks at nothing that a request brings along."""
        self.needs = "headers" if attribute.startswith("header:") else "payload" if attribute.startswith("claim:") else attribute
        """The name of the attribute of a call that it cannot do without."""

    def holds(self, attributes: Attributes) -> bool | None:
        """Whether a call satisfies it."""
        if self.needs in attributes.unknown:
            if self.needs == "remote_ip" and watching.by is not None:
                _tell_forwarded(watching.by, attributes, False)
            return None
        found = self._check(attributes)
        if watching.by is not None and self._tell is not None:
            self._tell(watching.by, attributes, found)
        return found is not self.field.negated


def compile_test(field: Field, mesh: MeshConfig, policy_namespace: str) -> Test | None:
    """The test of one field; None for a `when` key that Istio does not know (its rule is skipped)."""
    name = WHEN.get(field.name, field.name)
    values = field.values
    if name in _PEER:
        return _peer(field, name, mesh, policy_namespace)
    if name == "requestPrincipals":
        return _payload(
            field, "claim:iss/sub", tuple(claims.compile_request_principal(v) for v in values), _tell_request_principals(values)
        )
    if name in _ADDRESSES:
        return compile_address(field, _ADDRESSES[name])
    if name == "ports":
        return compile_ports(field)
    if name == "methods":
        matches = tuple(compile_text(v, empty_counts=True) for v in values)
        return _text(field, "method", matches, lambda a: a.method, tuple(text_pattern(v, empty_counts=True) for v in values))
    if name == "hosts":
        matches = tuple(compile_host(v) for v in values)
        return _text(field, "authority", matches, lambda a: a.authority, tuple(host_pattern(v) for v in values))
    if name == "paths":
        return _text(field, "path", tuple(compile_path(v) for v in values), lambda a: a.path, tuple(path_pattern(v) for v in values))
    if name == "connection.sni":
        sni, patterns = tuple(compile_text(v) for v in values), tuple(text_pattern(v) for v in values)
        return Test(
            field,
            "sni",
            False,
            sni,
            lambda a: any(match(a.sni) for match in sni),
            lambda by, a, found: by.text("sni", patterns, a.sni, found),
        )
    if name.startswith("request.headers[") and name.endswith("]"):
        return _header(field, name[len("request.headers[") : -1])
    if name == "request.auth.audiences":
        return _payload(field, "claim:aud", tuple(claims.compile_claim(("aud",), v) for v in values), _tell_claim(("aud",), values))
    if name == "request.auth.presenter":
        return _payload(field, "claim:azp", tuple(claims.compile_claim(("azp",), v) for v in values), _tell_claim(("azp",), values))
    if name.startswith("request.auth.claims["):
        keys = claims.claim_keys(name[len("request.auth.claims") :])
        return _payload(field, "claim:" + "/".join(keys), tuple(claims.compile_claim(keys, v) for v in values), _tell_claim(keys, values))
    if name.startswith("experimental.envoy.filters."):
        return Test(field, "metadata", False, tuple(_never for _ in values), _never, None)
    return None


def _never(_: object) -> bool:
    return False


def _peer(field: Field, name: str, mesh: MeshConfig, policy_namespace: str) -> Test:
    if name == "principals":
        matches = tuple(peers.compile_principal(v, mesh.trust_domains) for v in field.values)
    elif name == "namespaces":
        matches = tuple(peers.compile_namespace(v) for v in field.values)
    elif name == "serviceAccounts":
        matches = tuple(peers.compile_service_account(v, policy_namespace) for v in field.values)
    else:
        matches = tuple(peers.compile_trust_domain(v, mesh.trust_domains) for v in field.values)

    def check(a: Attributes) -> bool:
        san = a.principal
        return san is not None and any(match(san) for match in matches)

    def patterns() -> tuple[Pattern, ...]:
        return tuple(p for v in field.values for p in peers.principal_patterns(name, v, mesh.trust_domains, policy_namespace))

    def tell(by: Watcher, a: Attributes, found: bool) -> None:
        if a.principal is not None:
            by.principal(patterns, a.principal, found)

    return Test(field, "principal", False, matches, check, tell)


def _payload(field: Field, attribute: str, matches: tuple[claims.Check, ...], tell: Tell) -> Test:
    def check(a: Attributes) -> bool:
        payload = a.payload
        return payload is not None and any(match(payload) for match in matches)

    return Test(field, attribute, True, matches, check, tell)


def _tell_claim(keys: tuple[str, ...], values: tuple[str, ...]) -> Tell:
    patterns = tuple(text_pattern(v) for v in values)
    return lambda by, a, found: by.claim(keys, patterns, found) if a.payload is not None else None


def _tell_request_principals(values: tuple[str, ...]) -> Tell:
    """Issuer and subject of each value, up to the first that fits both."""
    pairs = tuple(claims.request_principal_patterns(v) for v in values)

    def tell(by: Watcher, a: Attributes, _: bool) -> None:
        if a.payload is None:
            return
        for issuer, subject in pairs:
            fits = _claim_fits(issuer, a.payload.get("iss"))
            by.claim(("iss",), (issuer,), fits)
            if fits:
                fits = _claim_fits(subject, a.payload.get("sub"))
                by.claim(("sub",), (subject,), fits)
                if fits:
                    return

    return tell


def _claim_fits(pattern: Pattern, found: Any) -> bool:
    if not isinstance(found, str):
        return False
    kind, text = pattern.kind, pattern.text
    if kind == "some":
        return bool(found)
    return found == text if kind == "exact" else found.startswith(text) if kind == "prefix" else found.endswith(text)


def _tell_forwarded(by: Watcher, a: Attributes, _: bool) -> None:
    """The client's address may come from a header; the blocks that it is compared with say so themselves."""
    lines = a.headers.get("x-forwarded-for")
    by.header("x-forwarded-for", (ANY,), lines, lines is not None)


def compile_ports(field: Field) -> Test:
    """The test of a list of ports."""
    numbers = frozenset(int(v) for v in field.values if v.isdigit())
    matches = tuple(int(v).__eq__ if v.isdigit() else _never for v in field.values)
    return Test(field, "destination_port", False, matches, lambda a: a.destination_port in numbers, None)


def compile_address(field: Field, attribute: str) -> Test:
    """The test of a list of address blocks."""
    blocks = [parse_block(v) for v in field.values]
    matches = tuple(
        (lambda text, block=block: (address := parse_address(text)) is not None and block is not None and block.holds(address))
        for block in blocks
    )

    def check(a: Attributes) -> bool:
        address = parse_address(getattr(a, attribute))
        return address is not None and any(block is not None and block.holds(address) for block in blocks)

    return Test(field, attribute, False, matches, check, _tell_forwarded if attribute == "remote_ip" else None)


def _text(
    field: Field,
    attribute: str,
    matches: tuple[Callable[[str], bool], ...],
    value: Callable[[Attributes], str],
    patterns: tuple[Pattern, ...],
    tell: Tell | None = None,
) -> Test:
    said: Tell = tell or (lambda by, a, found: by.text(attribute, patterns, value(a), found))
    if len(matches) == 1:
        only = matches[0]
        return Test(field, attribute, True, matches, lambda a: bool(only(value(a))), said)
    return Test(field, attribute, True, matches, lambda a: any(match(value(a)) for match in matches), said)


_PSEUDO: dict[str, Callable[[Attributes], str]] = {
    ":method": lambda a: a.method,
    ":authority": lambda a: a.authority,
    ":path": lambda a: a.path + a.query,
}


def _header(field: Field, name: str) -> Test:
    """Each line of a repeated header is tested on its own, except for headers whose lines are one value."""
    lower = name.lower()
    matches = tuple(compile_text(v, empty_counts=True) for v in field.values)
    patterns = tuple(text_pattern(v, empty_counts=True) for v in field.values)
    if lower in _PSEUDO:
        part = {":method": "method", ":authority": "authority", ":path": "path"}[lower]
        tell: Tell | None = (lambda by, a, found: by.target(patterns, a.path, a.query, found)) if part == "path" else None
        return _text(field, part, matches, _PSEUDO[lower], patterns, tell)

    def check(a: Attributes) -> bool:
        lines = values_of(a.headers, lower)
        return lines is not None and any(match(line) for line in lines for match in matches)

    one = is_one_value(lower)
    return Test(
        field, "header:" + lower, True, matches, check, lambda by, a, found: by.header(lower, patterns, a.headers.get(lower), found, one)
    )
