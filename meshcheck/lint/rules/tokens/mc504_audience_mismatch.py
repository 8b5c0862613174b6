"""A policy asks for an audience that the check of tokens does not accept.

## Finds

Conditions `request.auth.audiences` and `request.auth.claims[aud]` of ALLOW rules none of whose values is an audience that a
RequestAuthentication of the workload accepts, where all of its rules for tokens name audiences.

## Why it matters

A token for the audience that the policy wants is refused before the policy is asked (403 `Audiences in Jwt are not allowed`); one for the
audience that is accepted does not match the policy. Only a token for both gets in.

## Avoid

```yaml
jwtRules: [{issuer: https://idp.example.com, audiences: [web]}]
when: [{key: request.auth.audiences, values: [api]}]
```

## Prefer

```yaml
jwtRules: [{issuer: https://idp.example.com, audiences: [api]}]
when: [{key: request.auth.audiences, values: [api]}]
```

## Exceptions

Tokens that always have both audiences.

## Silent when

The policy applies to no proxy that is known, or no RequestAuthentication does (MC502).
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.lint.evidence import Evidence
from meshcheck.lint.proxies import governed, listed
from meshcheck.lint.rule import Found, found, rule
from meshcheck.lint.tokens import authentications, enforced, token_tests
from meshcheck.semantics.tracing.proxies import compiled


@rule("MC504", "audience-mismatch", severity="warning", needs="documents", confidence="medium")
def check(evidence: Evidence) -> Iterator[Found]:
    """Audiences that are refused before they are asked for."""
    for policy in evidence.of("AuthorizationPolicy"):
        known = [w for w in governed(evidence, policy) if authentications(evidence, w)] if policy.action == "ALLOW" else []
        if not known:
            continue
        authentication = authentications(evidence, known[0])[0]
        rules = [one for w in known for each in authentications(evidence, w) for one in each.rules]
        accepted = tuple(dict.fromkeys(audience for one in rules for audience in one.audiences))
        if not all(one.audiences for one in rules):
            continue
        for one in enforced(compiled(evidence.world, known[0], True)):
            for test in token_tests(one) if one.policy is policy else ():
                wanted = test.attribute == "claim:aud" and not test.field.negated
                if wanted and not any(match({"aud": audience}) for match in test.matches for audience in accepted):
                    message = f"no accepted audience of {listed(known)} ({listed(accepted)}) is one of these: only a token for both gets in"
                    yield found(policy.meta, test.field.path, message, ("accepted here", authentication.meta, ("spec", "jwtRules")))
