"""RequestAuthentication: which token is looked at where, and the answer to a bad one.

Sources: istio/istio:pilot/pkg/security/authn/policy_applier.go:convertToEnvoyJwtConfig;
envoyproxy/envoy:source/extensions/filters/http/jwt_authn/{filter,verifier,authenticator,extractor}.cc.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from meshcheck.model.istio_security import JwtRule, RequestAuthentication, TokenHeader
from meshcheck.model.pattern import pattern
from meshcheck.model.record import NamedTuple
from meshcheck.semantics import watching
from meshcheck.semantics.authentication import tokens
from meshcheck.semantics.authentication.keys import encode_base64url
from meshcheck.semantics.watching import ANY, SOME, Pattern

_TOKEN = pattern(r"[A-Za-z0-9\-_.]+")
_DEFAULT_HEADERS = (TokenHeader("Authorization", "Bearer "),)
_DEFAULT_PARAMS = ("access_token",)


class Provider(NamedTuple):
    """One issuer of one policy."""

    policy: RequestAuthentication
    rule: JwtRule

    @property
    def locations(self) -> tuple[tuple[TokenHeader, ...], tuple[str, ...], tuple[str, ...]]:
        """Headers, query parameters and cookies that are looked at; the defaults go when one is given."""
        rule = self.rule
        if rule.headers or rule.params or rule.cookies:
            return rule.headers, rule.params, rule.cookies
        return _DEFAULT_HEADERS, _DEFAULT_PARAMS, ()


class Found(NamedTuple):
    """A token and where it stands: ("header", "authorization"), ("param", "token"), ("cookie", "id")."""

    text: str
    place: tuple[str, str]


class Outcome(NamedTuple):
    """What token checking makes of a request. `problem` is Envoy's text; None when the request goes on."""

    problem: str | None = None
    provider: Provider | None = None
    """The one that accepted the token, or that gives the problem."""
    payload: Mapping[str, Any] | None = None
    found: Found | None = None
    missing: str | None = None
    """The fact that would decide, when the answer cannot be known."""


def providers_of(policies: Iterable[RequestAuthentication]) -> tuple[Provider, ...]:
    """All issuers that apply, in Istio's order."""
    return tuple(sorted((Provider(p, rule) for p in policies for rule in p.rules), key=lambda provider: provider.rule.issuer))


def is_preflight(method: str, headers: Mapping[str, Sequence[str]]) -> bool:
    """Whether token checking lets it pass as a CORS preflight."""
    found = method == "OPTIONS"
    if watching.by is not None:
        watching.by.text("method", (Pattern("exact", "OPTIONS"),), method, found)
    for name in ("origin", "access-control-request-method"):
        if found:
            found = bool(_joined(headers, name))
            if watching.by is not None:
                watching.by.header(name, (SOME,), headers.get(name), found, joined=True)
    return found


def check(providers: tuple[Provider, ...], method: str, query: str, headers: Mapping[str, Sequence[str]], now: float) -> Outcome:
    """Check the tokens of a request.

    No token passes. With several issuers one valid token is enough; otherwise every issuer's locations must be empty.
    """
    if not providers or is_preflight(method, headers):
        return Outcome()
    last: Outcome | None = None
    outcomes = []
    for provider in providers:
        outcome = _verify(provider, _extract(provider, query, headers), now)
        if outcome is not None and outcome.problem is None:
            if outcome.missing is None:
                return outcome
            last = outcome
        outcomes.append(outcome)
    if last is not None:
        return last
    failed = [outcome for outcome in outcomes if outcome is not None]
    if not failed:
        return Outcome()
    known = [outcome for outcome in failed if outcome.problem != tokens.UNKNOWN_ISSUER]
    return (known or failed)[-1]


def check_claims(providers: tuple[Provider, ...], claims: Mapping[str, Any], now: float) -> Outcome:
    """As `check`, for a token of which only the claims are given: its signature counts as right, and its place too."""
    if watching.by is not None and providers and all(p.rule.issuer for p in providers):
        issuers = tuple(Pattern("exact", p.rule.issuer) for p in providers)
        watching.by.limit("claim:iss", issuers, any(p.rule.issuer == claims.get("iss") for p in providers), True)
    outcomes = [_accepts(provider, claims, now) for provider in providers]
    accepted = next((outcome for outcome in outcomes if outcome.problem is None), None)
    if accepted is not None or not outcomes:
        return accepted or Outcome()
    known = [outcome for outcome in outcomes if outcome.problem != tokens.UNKNOWN_ISSUER]
    return (known or outcomes)[-1]


def _accepts(provider: Provider, claims: Mapping[str, Any], now: float) -> Outcome:
    """What one issuer says to claims: issuer, times, audience."""
    rule = provider.rule
    known = not rule.issuer or claims.get("iss", "") == rule.issuer
    if watching.by is not None and rule.issuer:
        watching.by.claim(("iss",), (Pattern("exact", rule.issuer),), known)
    if not known:
        return Outcome(tokens.UNKNOWN_ISSUER, provider, claims)
    problem = tokens.time_problem(claims, now)
    fits = tokens.audience_fits(claims, rule.audiences)
    if watching.by is not None and rule.audiences:
        watching.by.claim(("aud",), tokens.audience_patterns(rule.audiences), fits, tokens.audience_fits({}, rule.audiences))
    if problem is None and not fits:
        problem = tokens.AUDIENCE
    return Outcome(problem, provider, claims if problem else split_claims(claims, rule))


def _verify(provider: Provider, found: list[Found], now: float) -> Outcome | None:
    """One issuer's view: None without a token; all of its tokens must be valid."""
    result: Outcome | None = None
    for item in found:
        result = _verify_one(provider, item, now)
        if result.problem is not None:
            return result
    return result


def _verify_one(provider: Provider, item: Found, now: float) -> Outcome:
    rule = provider.rule
    try:
        token = tokens.parse(item.text)
    except tokens.BadToken as bad:
        return Outcome(str(bad), provider, None, item)
    outcome = _accepts(provider, token.claims, now)._replace(found=item)
    if outcome.problem is not None:
        return outcome
    if not rule.jwks:
        return outcome._replace(missing=f"{tokens.CANNOT_KNOW} `{rule.issuer or rule.jwks_uri}`: they are behind a URI")
    problem = tokens.signature_problem(token, rule.jwks)
    return Outcome(problem, provider, token.claims, item) if problem else outcome


def split_claims(claims: Mapping[str, Any], rule: JwtRule | None) -> Mapping[str, Any]:
    """The payload as policies see it: `scope`, `permission` and the like are split at spaces into lists."""
    names = ("scope", "permission", *(rule.space_delimited if rule else ()))
    wanted = {name: claims[name].split(" ") for name in names if isinstance(claims.get(name), str)}
    return {**claims, **wanted} if wanted else claims


def _joined(headers: Mapping[str, Sequence[str]], name: str) -> str:
    return ",".join(headers.get(name, ()))


def _extract(provider: Provider, query: str, headers: Mapping[str, Sequence[str]]) -> list[Found]:
    from urllib.parse import parse_qsl

    in_headers, in_params, in_cookies = provider.locations
    out = []
    for header in in_headers:
        name = header.name.lower()
        value = _joined(headers, name)
        if watching.by is not None:
            there = name in headers and header.prefix in value
            watching.by.limit(f"header:{name}", (Pattern("contains", header.prefix) if header.prefix else ANY,), there, False)
        if name not in headers:
            continue
        if header.prefix:
            at = value.find(header.prefix)
            if at < 0:
                continue
            match = _TOKEN.search(value, at + len(header.prefix))
            value = match[0] if match else value
        out.append(Found(value, ("header", name)))
    if watching.by is not None:
        for place in (*(f"query:{name}" for name in in_params), *(["header:cookie"] if in_cookies else [])):
            watching.by.limit(place, (ANY,), "cookie" in headers if place == "header:cookie" else f"{place[6:]}=" in query, False)
    if in_params and query:
        given = dict(reversed(parse_qsl(query.removeprefix("?"), keep_blank_values=True)))
        out += [Found(given[name], ("param", name)) for name in in_params if name in given]
    if in_cookies and "cookie" in headers:
        jar = dict(part.strip().partition("=")[::2] for line in headers["cookie"] for part in line.split(";"))
        out += [Found(jar[name], ("cookie", name)) for name in in_cookies if name in jar]
    return out


def without_token(headers: Mapping[str, Sequence[str]], query: str, outcome: Outcome) -> tuple[Mapping[str, Sequence[str]], str]:
    """Headers and query as later filters see them: an accepted token is removed unless it is forwarded."""
    if outcome.found is None or outcome.provider is None or outcome.problem is not None or outcome.provider.rule.forward:
        return headers, query
    kind, name = outcome.found.place
    if kind == "header":
        return {key: value for key, value in headers.items() if key != name}, query
    if kind == "param":
        kept = [part for part in query.removeprefix("?").split("&") if part.partition("=")[0] != name]
        return headers, "?" + "&".join(kept) if kept else ""
    return headers, query


def with_claim_headers(
    headers: Mapping[str, Sequence[str]], providers: tuple[Provider, ...], outcome: Outcome
) -> Mapping[str, Sequence[str]]:
    """Headers with what `outputClaimToHeaders` and `outputPayloadToHeader` write; a client's own copies are removed in any case."""
    import json

    written = {header.lower() for p in providers for header, _ in p.rule.claim_headers} | {p.rule.payload_header.lower() for p in providers}
    if written == {""}:
        return headers
    if watching.by is not None:
        watching.by.headers_changed((), tuple(written))
    out: dict[str, Sequence[str]] = {name: lines for name, lines in headers.items() if name not in written}
    if outcome.provider is None or outcome.payload is None or outcome.problem is not None:
        return out
    rule = outcome.provider.rule
    if rule.payload_header:
        out[rule.payload_header.lower()] = (encode_base64url(json.dumps(outcome.payload, separators=(",", ":")).encode()),)
    for header, claim in rule.claim_headers:
        found: Any = outcome.payload
        for key in claim.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        if isinstance(found, bool):
            out[header.lower()] = ("true" if found else "false",)
        elif isinstance(found, (str, int)):
            out[header.lower()] = (str(found),)
        elif found is not None:
            out[header.lower()] = (encode_base64url(json.dumps(found, separators=(",", ":")).encode()),)
    return out
