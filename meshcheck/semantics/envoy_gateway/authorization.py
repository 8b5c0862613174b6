"""Authorization rules of a SecurityPolicy: the first rule that matches decides.

Source: envoyproxy/gateway:internal/xds/translator/authorization.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from meshcheck.model.record import NamedTuple
from meshcheck.semantics.addresses import parse_address, parse_block
from meshcheck.semantics.expressions import fits


class Request(NamedTuple):
    """What rules look at. `address` is empty when it is not known; `payloads` by name of the provider that accepted a token."""

    method: str
    path: str
    headers: Mapping[str, Sequence[str]]
    address: str
    payloads: Mapping[str, Mapping[str, Any]]


class Decided(NamedTuple):
    """`allowed` None: `why` is the missing fact. `rule` counts from 0; None for the default action."""

    allowed: bool | None
    rule: int | None
    why: str


def decide(settings: Mapping[str, Any], request: Request) -> Decided:
    """What the rules say."""
    unsure: tuple[int, str] | None = None
    verdicts: set[bool] = set()
    for n, rule in enumerate(settings.get("rules") or ()):
        holds, fact = _holds(rule, request)
        allows = rule.get("action") == "Allow"
        if holds is None:
            unsure = unsure or (n, fact)
            verdicts.add(allows)
        elif holds:
            verdicts.add(allows)
            if unsure is not None and len(verdicts) > 1:
                return Decided(None, unsure[0], unsure[1])
            return Decided(allows, n, f"rule {rule.get('name') or n} ({rule.get('action')})")
    default = settings.get("defaultAction") == "Allow"
    if unsure is not None and len(verdicts | {default}) > 1:
        return Decided(None, unsure[0], unsure[1])
    return Decided(default, None, f"no rule matches: defaultAction {settings.get('defaultAction') or 'Deny'}")


def _holds(rule: Mapping[str, Any], request: Request) -> tuple[bool | None, str]:
    operation, principal = rule.get("operation") or {}, rule.get("principal") or {}
    methods = operation.get("methods")
    if methods and request.method not in methods:
        return False, ""
    if operation.get("path") and not _path(operation["path"], request.path):
        return False, ""
    if not _headers(principal.get("headers") or (), request.headers) or not _token(principal.get("jwt"), request.payloads):
        return False, ""
    for key in ("clientIPGeoLocations", "cel"):
        if principal.get(key) or rule.get(key):
            return None, f"what `{key}` of rule {rule.get('name') or ''} says of the call"
    blocks = principal.get("clientCIDRs")
    if blocks:
        address = parse_address(request.address) if request.address else None
        if address is None:
            return None, "the client's address: say it with `--source-ip`"
        return any(b.holds(address) for text in blocks if (b := parse_block(text)) is not None), ""
    return True, ""


def _path(wanted: Mapping[str, Any], path: str) -> bool:
    kind, value = wanted.get("type") or "PathPrefix", wanted.get("value") or "/"
    if kind == "Exact":
        found = path == value
    elif kind == "RegularExpression":
        found = fits(value, path)
    else:
        prefix = value.rstrip("/")
        found = path == prefix or path.startswith(prefix + "/") or not prefix
    return found != (wanted.get("invert") is True)


def _headers(wanted: Sequence[Mapping[str, Any]], headers: Mapping[str, Sequence[str]]) -> bool:
    return all(",".join(headers.get(str(item.get("name")).lower(), ("\0",))) in (item.get("values") or ()) for item in wanted)


def _token(wanted: Mapping[str, Any] | None, payloads: Mapping[str, Mapping[str, Any]]) -> bool:
    if not wanted:
        return True
    payload = payloads.get(str(wanted.get("provider")))
    if payload is None:
        return False
    scopes = payload.get("scope")
    given = scopes.split(" ") if isinstance(scopes, str) else scopes if isinstance(scopes, list) else []
    if any(scope not in given for scope in wanted.get("scopes") or ()):
        return False
    return all(_claim(item, payload) for item in wanted.get("claims") or ())


def _claim(item: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    found: Any = payload
    for key in str(item.get("name")).split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    if item.get("valueType") == "StringArray":
        return isinstance(found, list) and any(value in (item.get("values") or ()) for value in found)
    return isinstance(found, str) and found in (item.get("values") or ())
