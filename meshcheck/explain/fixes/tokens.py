"""RequestAuthentication: issuers, audiences, and tokens that are verified nowhere or not passed on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshcheck.explain.causes import failing
from meshcheck.explain.fixes.case import Candidate, Case, at, change, created, free_name, push, put, single, telling_labels


def candidates(case: Case) -> Iterator[Candidate]:
    """Ways past a token that is refused."""
    claims = _claims(case)
    for mention in case.station.policies:
        raw = case.raw(mention.meta)
        for number, rule in enumerate(at(raw, ("spec", "jwtRules")) or ()):
            field = ("spec", "jwtRules", number)
            issuer, given = rule.get("issuer"), claims.get("iss")
            audiences = claims.get("aud")
            wanted = audiences if isinstance(audiences, str) else audiences[0] if isinstance(audiences, list) and audiences else None
            if issuer == given and isinstance(wanted, str) and rule.get("audiences") and wanted not in rule["audiences"]:
                words = f"add `{wanted}` to audiences of issuer {issuer} of {mention.meta.ref}"
                yield single(words, mention.meta, push(raw, (*field, "audiences"), wanted))
            if isinstance(given, str) and isinstance(issuer, str) and issuer != given and _differ_little(issuer, given):
                words = f"write `{given}`, the token's issuer, instead of `{issuer}` in {mention.meta.ref}"
                yield single(words, mention.meta, change((*field, "issuer"), given))


def kept_header(case: Case) -> Iterator[Candidate]:
    """A token's header that the sidecar takes away after it was verified, and that a rule wants."""
    wanted = [leaf for reason in case.station.reasons for leaf in failing(reason)]
    if not any("request.headers[authorization]" in leaf.text.lower() for leaf in wanted) or case.server is None:
        return
    for policy in case.world.request_authentications(case.server):
        raw = case.raw(policy.meta)
        rules = at(raw, ("spec", "jwtRules")) or ()
        steps = [put(raw, ("spec", "jwtRules", n, "forwardOriginalToken"), True) for n in range(len(rules))]
        if steps:
            words = f"keep the header with the token (forwardOriginalToken: true in {policy.meta.ref})"
            yield single(words, policy.meta, *steps)


def verified_here(case: Case) -> Iterator[Candidate]:
    """For rules that want a token's claims where no token is verified: the issuer's keys from elsewhere in the input."""
    server = case.server
    claims = _claims(case)
    if server is None or not (case.question.jwt or claims):
        return
    yield from _forwarded(case)
    for policy in case.world.inventory.of("RequestAuthentication"):
        raw = case.raw(policy.meta)
        rules = [r for r in at(raw, ("spec", "jwtRules")) or () if not claims.get("iss") or r.get("issuer") == claims.get("iss")]
        if not rules or raw is None:
            continue
        if policy.meta.namespace == server.namespace and at(raw, ("spec", "selector", "matchLabels")):
            labels = telling_labels(case.world, server)
            step = put(raw, ("spec", "selector", "matchLabels"), labels)
            shown = ", ".join(f"{key}={value}" for key, value in labels.items())
            yield single(f"let {policy.meta.ref} select {server} ({shown})", policy.meta, step, wide=1)
        name = free_name(case.world, "RequestAuthentication", server.namespace, f"{server.name}-{policy.meta.name}")
        spec = {"selector": {"matchLabels": telling_labels(case.world, server)}, "jwtRules": rules}
        new = created("RequestAuthentication", "security.istio.io/v1", server.namespace, name, spec=spec)
        yield Candidate(f"add {new[0].ref}: tokens are verified at {server} as {policy.meta.ref} does", (new,), 0, policy.meta)


def _forwarded(case: Case) -> Iterator[Candidate]:
    """A token that stops at a proxy on the way, because it is not passed on; verified where it then arrives."""
    for hop in case.trace.hops[: case.number - 1]:
        for station in hop.stations:
            if station.name != "request-authentication":
                continue
            for mention in station.policies:
                raw = case.raw(mention.meta)
                rules = at(raw, ("spec", "jwtRules")) or ()
                steps = tuple(put(raw, ("spec", "jwtRules", n, "forwardOriginalToken"), True) for n in range(len(rules)))
                if steps:
                    yield Candidate(f"let {mention.meta.ref} pass the token on (forwardOriginalToken: true)", ((mention.meta, steps),))
                    yield from _and_verified(case, mention.meta, steps, rules)


def _and_verified(case: Case, meta: Any, steps: Any, rules: Any) -> Iterator[Candidate]:
    server = case.server
    if server is None or case.world.request_authentications(server):
        return
    name = free_name(case.world, "RequestAuthentication", server.namespace, f"{server.name}-{meta.name}")
    spec = {"selector": {"matchLabels": telling_labels(case.world, server)}, "jwtRules": [dict(rule) for rule in rules]}
    new = created("RequestAuthentication", "security.istio.io/v1", server.namespace, name, spec=spec)
    words = f"let {meta.ref} pass the token on (forwardOriginalToken: true), and add {new[0].ref}, which verifies it at {server}"
    yield Candidate(words, ((meta, steps), new), 0, meta)


def _claims(case: Case) -> Mapping[str, Any]:
    """The claims of the question, or of its token."""
    question = case.question
    if question.claims is not None:
        return question.claims
    token = question.jwt or next(
        (line.removeprefix("Bearer ") for line in question.headers.get("authorization", ()) if line.startswith("Bearer ")), ""
    )
    if token.count(".") != 2:
        return {}
    import json
    from base64 import urlsafe_b64decode

    body = token.split(".")[1]
    try:
        found = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _differ_little(a: str, b: str) -> bool:
    """A slash at the end, the case of letters, the scheme: what is written wrong by oversight."""
    bare = [text.lower().rstrip("/").removeprefix("https://").removeprefix("http://") for text in (a, b)]
    return bare[0] == bare[1]
