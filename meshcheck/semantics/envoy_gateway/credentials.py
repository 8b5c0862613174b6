"""API keys and basic authentication.

Sources: envoyproxy/envoy:source/extensions/filters/http/{api_key_auth,basic_auth};
envoyproxy/gateway:internal/gatewayapi/securitypolicy.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from meshcheck.model.core import Secret
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.nginx.passwords import accepts, credentials

Headers = Mapping[str, Sequence[str]]


class Checked(NamedTuple):
    """`allowed` None: it cannot be known, `why` is the fact."""

    allowed: bool | None
    why: str
    body: str = ""
    given: bool = False
    """Whether the request brings any credentials."""


def api_key(settings: Mapping[str, Any], secrets: Iterable[Secret], headers: Headers, query: str) -> Checked:
    """Whether the request brings a key that one of the Secrets holds."""
    for place in settings.get("extractFrom") or ():
        given = _keys(place, headers, query)
        if not given:
            continue
        known = {sealed.reveal() for secret in secrets for sealed in secret.credentials.values()}
        if len(given) == 1 and given[0] in known:
            return Checked(True, "the API key is one of the Secrets'")
        return Checked(False, "the API key is in none of the Secrets", "Client authentication failed.", True)
    return Checked(False, "the request brings no API key", "Client authentication failed.")


def _keys(place: Mapping[str, Any], headers: Headers, query: str) -> list[str]:
    out = [line for name in place.get("headers") or () for line in headers.get(str(name).lower(), ())]
    params = dict(parse_qsl(query.removeprefix("?"), keep_blank_values=True))
    out += [params[name] for name in place.get("params") or () if name in params]
    jar = dict(part.strip().partition("=")[::2] for line in headers.get("cookie", ()) for part in line.split(";"))
    return out + [jar[name] for name in place.get("cookies") or () if name in jar]


def basic(secret: Secret, headers: Headers) -> Checked:
    """Whether the request brings a user and password that the Secret's `.htpasswd` accepts."""
    given = credentials(headers.get("authorization", ("",))[0])
    if given is None:
        return Checked(False, "the request brings no user and password", "User authentication failed. Missing username and password.")
    said = accepts(secret.credentials[".htpasswd"].reveal(), *given)
    if said is None:
        return Checked(None, f"whether the password fits its hash in Secret {secret.meta.namespace}/{secret.meta.name}")
    if said:
        return Checked(True, f"user {given[0]} is accepted")
    return Checked(
        False, f"user {given[0]}, or the password, is not accepted", "User authentication failed. Invalid username/password combination."
    )
