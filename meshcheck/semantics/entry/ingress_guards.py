"""Who may pass a location of ingress-nginx: addresses, passwords, the authorizer, and how `satisfy` puts them together.

Source: kubernetes/ingress-nginx:rootfs/etc/nginx/template/nginx.tmpl, internal/ingress/controller/template/template.go
(isLocationInLocationList, shouldApplyGlobalAuth); nginx/nginx:src/http/ngx_http_core_module.c:ngx_http_core_access_phase.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshcheck.model.ingress import Ingress
from meshcheck.model.record import NamedTuple, replace
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Mention, Station, Symptom
from meshcheck.semantics.ingress import access
from meshcheck.semantics.ingress.annotations import PREFIX, flag, is_valid, note, text
from meshcheck.semantics.ingress.controller import Controller
from meshcheck.semantics.ingress.flaws import auth_secret, is_url
from meshcheck.semantics.ingress.servers import Place
from meshcheck.semantics.nginx.passwords import accepts, credentials
from meshcheck.semantics.world.world import World

ENFORCER = "ingress-nginx"
FORBIDDEN = Symptom("http", 403, "Forbidden")
_UNAUTHORIZED = Symptom("http", 401, "Authorization Required")


def mention(ingress: Ingress, name: str) -> Mention:
    """An annotation of an Ingress; its metadata where it is not written."""
    return Mention(ingress.meta, field=("metadata", "annotations", PREFIX + name) if note(ingress, name) is not None else ("metadata",))


class Guards(NamedTuple):
    """The checks of one location for one request."""

    world: World
    controller: Controller
    place: Place
    headers: Mapping[str, Sequence[str]]
    address: access.Compared

    def stations(self) -> tuple[list[Station], bool]:
        """The checks that count, in nginx's order, and whether the last one ends the call."""
        found = [check for check in (self._addresses(), self._passwords(), self._authorizer()) if check is not None]
        if self.place.ingress is not None and text(self.place.ingress, "satisfy") == "any" and found:
            return self._any(found, self.place.ingress)
        out: list[Station] = []
        for check in found:
            out.append(check)
            if check.verdict == DENIED:
                return out, True
        return out, False

    def _any(self, found: list[Station], ingress: Ingress) -> tuple[list[Station], bool]:
        """One check that lets pass is enough; if none does, a 401 is what the client sees."""
        if any(check.verdict == ALLOWED for check in found):
            return [self._station(ALLOWED, "satisfy any: one of the checks lets it pass", mention(ingress, "satisfy"))], False
        if any(check.verdict == UNKNOWN for check in found):
            return [check for check in found if check.verdict == UNKNOWN], False
        return [next((c for c in found if c.symptom is not None and c.symptom.status == 401), found[0])], True

    def _station(self, verdict: str, words: str, by: Mention | None, symptom: Symptom | None = None, name: str = "access") -> Station:
        found = Station(
            name, ENFORCER, verdict, words, (by,) if by else (), decider=by if verdict == DENIED else None,
            workload=str(self.controller.workload),
        )  # fmt: skip
        return replace(found, symptom=symptom if verdict == DENIED else None)

    def _lacking(self, words: str, by: Mention | None, fact: str, name: str = "access") -> Station:
        return replace(self._station(UNKNOWN, words, by, name=name), missing=fact)

    def _addresses(self) -> Station | None:
        lists = access.lists_of(self.controller, self.place.ingress)
        if not lists.deny and not lists.allow:
            if self.controller.settings is None:
                fact = f"the ConfigMap of {self.controller.workload} (block-cidrs, whitelist-source-range …): it is not in the input"
                return self._lacking("settings of the controller", None, fact)
            return None
        by = mention(self.place.ingress, lists.annotation) if self.place.ingress is not None and lists.annotation else None
        said = access.admits(lists, self.address.address)
        listed = ", ".join([*(f"deny {d}" for d in lists.deny), *(f"allow {a}" for a in lists.allow)])
        if said is None:
            return self._lacking(listed, by, self.address.why)
        words = f"{listed}: {'admits' if said else 'does not admit'} {self.address.address or 'any address'} ({self.address.why})"
        return self._station(ALLOWED if said else DENIED, words, by, FORBIDDEN)

    def _exempt(self) -> bool:
        """`no-auth-locations` is compared with the path of the location, not with that of the request."""
        return in_list(self.controller, "no-auth-locations", self.place.path)

    def _passwords(self) -> Station | None:
        ingress = self.place.ingress
        if ingress is None or text(ingress, "auth-type") is None or self._exempt():
            return None
        by = mention(ingress, "auth-secret")
        given = credentials(self.headers.get("authorization", ("",))[0])
        if given is None:
            return self._station(DENIED, "no user and password in the request", by, _UNAUTHORIZED)
        if text(ingress, "auth-type") != "basic":
            return self._station(DENIED, "the request has a password where a digest is asked for", by, _UNAUTHORIZED)
        secret = self.world.secret(*auth_secret(ingress))
        said = None
        if secret is not None and text(ingress, "auth-secret-type") == "auth-map":
            lines = "\n".join(f"{user}:{sealed.reveal()}" for user, sealed in secret.credentials.items())
            said = accepts(lines, *given) if given[0] in secret.credentials else None if secret.keys != tuple(secret.credentials) else False
        elif secret is not None and (sealed := secret.credentials.get("auth")) is not None:
            said = accepts(sealed.reveal(), *given)
        if said is None:
            return self._lacking("user and password", by, "whether the Secret accepts the user and the password")
        words = f"user {given[0]} is {'accepted' if said else 'not accepted'}"
        return self._station(ALLOWED if said else DENIED, words, by, _UNAUTHORIZED)

    def _authorizer(self) -> Station | None:
        ingress = self.place.ingress
        if ingress is None or self._exempt():
            return None
        url, name = _own_authorizer(ingress), "auth-url"
        everywhere = self.controller.text("global-auth-url")
        if url is None and is_url(everywhere) and flag(ingress, "enable-global-auth", True):
            url, name = everywhere, "global-auth-url"
        if url is None:
            return None
        fact = f"what the authorizer {url} answers: 2xx lets pass, 401 and 403 are handed on, anything else is a 500"
        if name == "auth-url" and (signin := text(ingress, "auth-signin")):
            fact = f"what the authorizer {url} answers: 2xx lets pass, 401 is sent on to {signin} (302), 403 is handed on, else it is a 500"
        return self._lacking(f"{url} is asked", mention(ingress, name), fact, "custom")


def _own_authorizer(ingress: Ingress) -> str | None:
    """`auth-url`; two other annotations that are not valid make the controller forget about it."""
    lost = not is_valid(ingress, "auth-request-redirect") or not is_valid(ingress, "auth-always-set-cookie")
    return None if lost else text(ingress, "auth-url")


def in_list(controller: Controller, key: str, path: str) -> bool:
    """Whether the path of a location begins with an entry of `no-auth-locations` or `no-tls-redirect-locations`."""
    settings = controller.settings or {}
    listed = str(settings[key]) if key in settings else "/.well-known/acme-challenge"
    return any(entry.strip() and path.startswith(entry.strip()) for entry in listed.split(","))
