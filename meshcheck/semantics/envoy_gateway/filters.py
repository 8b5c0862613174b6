"""The filters that a SecurityPolicy puts before a route, in the order in which Envoy runs them, up to the one that refuses.

Source: envoyproxy/gateway:internal/xds/translator/httpfilters.go; an invalid policy answers 500: internal/gatewayapi/securitypolicy.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from meshcheck.model.core import Secret
from meshcheck.model.objects import Path
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station, Symptom
from meshcheck.semantics import watching
from meshcheck.semantics.addresses import parse_block
from meshcheck.semantics.envoy_gateway import authorization, credentials, tokens
from meshcheck.semantics.envoy_gateway.attachment import Effective, Place, effective
from meshcheck.semantics.envoy_gateway.client import client_address
from meshcheck.semantics.gateway_api.conversion import origin_matchers
from meshcheck.semantics.routing import cors
from meshcheck.semantics.tracing import symptoms
from meshcheck.semantics.world.world import World

ENFORCER = "gateway"
_INVALID = Symptom("http", 500, "")


class Asked(NamedTuple):
    """The request at the route."""

    method: str
    path: str
    query: str
    authority: str
    headers: Mapping[str, Sequence[str]]
    peer: str
    """Address of the connection; empty when it is not known."""
    claims: Mapping[str, Any] | None
    now: float


def stations_of(world: World, place: Place, asked: Asked, route_cors: bool) -> list[Station]:
    """What the policies for a route make of a request. `route_cors`: the route has a CORS filter of its own, which wins."""
    try:
        return _stations(world, place, asked, route_cors)
    except (AttributeError, TypeError, ValueError, KeyError):  # no schema admitted these policies
        fact = f"what the policies of Envoy Gateway for {place.route.ref} mean: one of them is not of the form that is known"
        return [Station("extensions", ENFORCER, UNKNOWN, "policies of Envoy Gateway", missing=fact)]


def _stations(world: World, place: Place, asked: Asked, route_cors: bool) -> list[Station]:
    found = effective(world, "SecurityPolicy", place)
    out: list[Station] = []
    for kind in ("EnvoyExtensionPolicy", "EnvoyPatchPolicy"):
        strange = effective(world, kind, place)
        if strange is not None:
            ref = strange.policies[0].meta.ref
            out.append(
                Station(
                    "extensions", ENFORCER, UNKNOWN, str(ref), (Mention(strange.policies[0].meta),), missing=f"what {ref} makes of the call"
                )
            )
    traffic = effective(world, "BackendTrafficPolicy", place)
    if traffic is not None and (traffic.spec.get("faultInjection") or {}).get("abort"):
        mention = Mention(traffic.policies[0].meta, field=("spec", "faultInjection"))
        fact = f"whether faultInjection of {mention.meta.ref} takes this request"
        out.append(Station("fault", ENFORCER, UNKNOWN, "faultInjection", (mention,), missing=fact))
    if found is None:
        return out
    if watching.by is not None:
        watching.by.opaque("the SecurityPolicies of Envoy Gateway look at requests in their own way")
    filters = _Filters(world, place, asked, found)
    for step in (filters.invalid, None if route_cors else filters.cors, filters.csrf, filters.external, filters.api_key, filters.basic,
                 filters.oidc, filters.jwt, filters.authorization):  # fmt: skip
        station = step() if step is not None else None
        if station is not None:
            out.append(station)
            if station.verdict == DENIED or station.answers:
                break
    return out


class _Filters:
    """The filters of one effective policy, for one request."""

    def __init__(self, world: World, place: Place, asked: Asked, found: Effective) -> None:
        self.world, self.place, self.asked, self.found = world, place, asked, found
        self.spec = found.spec
        self.payloads: dict[str, Mapping[str, Any]] = {}

    def _mention(self, *field: str | int) -> Mention:
        owner = next((p for p in self.found.policies if not field or field[0] in p.spec), self.found.policies[0])
        return Mention(owner.meta, field=("spec", *field))

    def _station(
        self,
        name: str,
        verdict: str,
        summary: str,
        field: Path,
        symptom: Symptom | None = None,
        missing: str | None = None,
        answers: bool = False,
    ) -> Station:
        mention = self._mention(*field)
        words = f"{mention.meta.namespace}/{mention.meta.name}: {summary}"
        decider = mention if verdict == DENIED or answers else None
        return Station(name, ENFORCER, verdict, words, (mention,), symptom=symptom, decider=decider, missing=missing, answers=answers)

    def _secret(self, name: str, own: str) -> Secret | None:
        return self.world.secret(own, name)

    # ---- a policy that cannot be used ----

    def invalid(self) -> Station | None:
        """A policy with a broken reference: 500 for every request, or a missing fact where the object may exist."""
        for field, name, key in self._references():
            own = self._mention(*field).meta.namespace
            secret = self._secret(name, own)
            if secret is None and not self.world.complete("Secret", namespace=own, name=name):
                return self._station(
                    "access",
                    UNKNOWN,
                    f"{field[0]} needs Secret {name}",
                    field,
                    missing=f"the Secret `{own}/{name}`: {self.world.unread_secret(own, name)}",
                )
            if secret is None or (key and key not in secret.keys):
                what = f"has no key {key}" if secret is not None else "does not exist"
                why = f"{field[0]}: Secret {own}/{name} {what}, so the policy is invalid: 500"
                return self._station("access", DENIED, why, field, _INVALID)
        for n, rule in enumerate((self.spec.get("authorization") or {}).get("rules") or ()):
            for text in (rule.get("principal") or {}).get("clientCIDRs") or ():
                if parse_block(str(text)) is None:
                    field = ("authorization", "rules", n, "principal", "clientCIDRs")
                    return self._station("access", DENIED, f"`{text}` is no CIDR, so the policy is invalid: 500", field, _INVALID)
        return None

    def _references(self) -> list[tuple[Path, str, str]]:
        """(field, Secret, key that it must have)."""
        out: list[tuple[Path, str, str]] = []
        users = (self.spec.get("basicAuth") or {}).get("users")
        if users:
            out.append((("basicAuth", "users"), str(users.get("name")), ".htpasswd"))
        for n, ref in enumerate((self.spec.get("apiKeyAuth") or {}).get("credentialRefs") or ()):
            out.append((("apiKeyAuth", "credentialRefs", n), str(ref.get("name")), ""))
        secret = (self.spec.get("oidc") or {}).get("clientSecret")
        if secret:
            out.append((("oidc", "clientSecret"), str(secret.get("name")), "client-secret"))
        return out

    # ---- CORS and CSRF ----

    def cors(self) -> Station | None:
        policy = self.spec.get("cors")
        if not policy or not self.asked.headers.get("origin"):
            return None
        settings = {**policy, "allowOrigins": origin_matchers(policy.get("allowOrigins") or ()), "unmatchedPreflights": "IGNORE"}
        said = cors.answer(settings, self.asked.method, self.asked.headers, self._mention("cors"))
        if said is None:
            return None
        return Station(
            "cors", ENFORCER, said.verdict, said.summary, said.policies, (), said.symptom, None, said.decider, answers=said.answers
        )

    def csrf(self) -> Station | None:
        policy = self.spec.get("csrf")
        if policy is None or self.asked.method not in ("POST", "PUT", "DELETE", "PATCH"):
            return None
        origin = self.asked.headers.get("origin", ("",))[0].partition("://")[2]
        if origin and origin == self.asked.authority:
            return None
        if origin and policy.get("additionalOrigins"):
            return self._station("csrf", UNKNOWN, "csrf", ("csrf",), missing=f"whether additionalOrigins admit {origin}")
        return self._station("csrf", DENIED, "the Origin is not the host called", ("csrf",), Symptom("http", 403, "Invalid origin"))

    # ---- who it is ----

    def external(self) -> Station | None:
        if not self.spec.get("extAuth"):
            return None
        return self._station(
            "custom", UNKNOWN, "an external authorizer is asked", ("extAuth",), missing="what the external authorizer answers"
        )

    def api_key(self) -> Station | None:
        settings = self.spec.get("apiKeyAuth")
        if not settings:
            return None
        own = self._mention("apiKeyAuth").meta.namespace
        refs = [str(ref.get("name")) for ref in settings.get("credentialRefs") or ()]
        secrets = [s for name in refs if (s := self._secret(name, own)) is not None]
        said = credentials.api_key(settings, secrets, self.asked.headers, self.asked.query)
        if said.allowed is False and said.given:  # it may be in a Secret that nobody has read
            unseen = (name for name in refs if self._secret(name, own) is None)
            lost = next((name for name in unseen if not self.world.complete("Secret", namespace=own, name=name)), None)
            if lost is not None:
                said = credentials.Checked(None, f"whether the API key is in Secret {own}/{lost}")
        return self._checked(said, "apiKeyAuth")

    def basic(self) -> Station | None:
        users = (self.spec.get("basicAuth") or {}).get("users")
        if not users:
            return None
        secret = self._secret(str(users.get("name")), self._mention("basicAuth").meta.namespace)
        if secret is None:
            return None  # said before: the policy cannot be used, or the Secret is a missing fact
        return self._checked(credentials.basic(secret, self.asked.headers), "basicAuth")

    def _checked(self, said: credentials.Checked, field: str) -> Station:
        if said.allowed is None:
            return self._station("access", UNKNOWN, said.why, (field,), missing=said.why)
        symptom = None if said.allowed else Symptom("http", 401, said.body)
        return self._station("access", ALLOWED if said.allowed else DENIED, said.why, (field,), symptom)

    def oidc(self) -> Station | None:
        settings = self.spec.get("oidc")
        if not settings:
            return None
        if self.asked.headers.get("cookie"):
            fact = "whether the cookie is of a session that is still good"
            return self._station("oidc", UNKNOWN, "a session cookie is checked", ("oidc",), missing=fact)
        if settings.get("denyRedirect"):
            fact = "whether denyRedirect holds: then it is a 401"
            return self._station("oidc", UNKNOWN, "denyRedirect", ("oidc", "denyRedirect"), missing=fact)
        if settings.get("passThroughAuthHeader") and self.asked.headers.get("authorization"):
            return None
        location = (settings.get("provider") or {}).get("authorizationEndpoint") or (settings.get("provider") or {}).get("issuer") or ""
        symptom = Symptom("http", 302, "", {"location": str(location)})
        return self._station("oidc", ALLOWED, "no session: 302 to the identity provider", ("oidc",), symptom, answers=True)

    def jwt(self) -> Station | None:
        settings = self.spec.get("jwt")
        if not settings:
            return None
        meta = self._mention("jwt").meta
        every = tokens.providers(self.world, meta, settings)
        asked = self.asked
        said = tokens.check(every, asked.method, asked.query, asked.headers, asked.claims, asked.now)
        name = "request-authentication"
        if said.problem is not None:
            return self._station(name, DENIED, said.problem, ("jwt",), symptoms.token_problem(said.problem))
        if said.missing is not None:
            return self._station(name, UNKNOWN, "whether the token's signature is right", ("jwt",), missing=said.missing)
        if said.payload is None:
            if settings.get("optional") is True or cors.is_preflight(asked.method, asked.headers):
                return self._station(name, ALLOWED, "no token, and none is needed", ("jwt",))
            return self._station(name, DENIED, tokens.MISSING, ("jwt",), Symptom("http", 401, tokens.MISSING))
        self.payloads = {
            key: said.payload for key, provider in every.items() if said.provider is None or provider.rule is said.provider.rule
        }
        return self._station(name, ALLOWED, f"token of {said.payload.get('iss')}/{said.payload.get('sub')} accepted", ("jwt",))

    def authorization(self) -> Station | None:
        settings = self.spec.get("authorization")
        if settings is None:
            return None
        traffic = effective(self.world, "ClientTrafficPolicy", self.place)
        detection = (traffic.spec.get("clientIPDetection") if traffic is not None else None) or {}
        address = client_address(detection, self.asked.peer, self.asked.headers)
        request = authorization.Request(self.asked.method, self.asked.path, self.asked.headers, address, self.payloads)
        said = authorization.decide(settings, request)
        field: Path = ("authorization", "rules", said.rule) if said.rule is not None else ("authorization", "defaultAction")
        if said.allowed is None:
            return self._station("authorization", UNKNOWN, f"rule {said.rule}", field, missing=said.why)
        if said.allowed:
            return self._station("authorization", ALLOWED, said.why, field)
        return self._station("authorization", DENIED, said.why, field, symptoms.FORBIDDEN)
