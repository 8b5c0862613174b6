"""Kong: plugins by priority, not in the order in which they are listed; a missing plugin is skipped.

Source: Kong/kong:kong/plugins/*/handler.lua (PRIORITY), Kong/kubernetes-ingress-controller:internal/dataplane/kongstate.
"""

from __future__ import annotations

from meshcheck.model.foreign import Foreign
from meshcheck.model.objects import Meta
from meshcheck.model.record import replace
from meshcheck.model.trace import DENIED, Station, Symptom
from meshcheck.semantics.ingress.others.asked import Asked
from meshcheck.semantics.routing.cors import is_preflight

_PRIORITY = {
    "bot-detection": 2500, "cors": 2000, "jwt": 1450, "oauth2": 1400, "key-auth": 1250, "ldap-auth": 1200, "basic-auth": 1100,
    "hmac-auth": 1030, "ip-restriction": 990, "acl": 950, "rate-limiting": 910, "request-termination": 2,
}  # fmt: skip
_MISSING = {
    "key-auth": "No API key found in request",
    "jwt": "Unauthorized",
    "basic-auth": "Unauthorized",
    "oauth2": "The access token is missing",
    "hmac-auth": "Unauthorized",
    "ldap-auth": "Unauthorized",
}
_HARMLESS = frozenset(
    (
        *(
            "rate-limiting",
            "prometheus",
            "correlation-id",
            "request-transformer",
            "response-transformer",
            "file-log",
            "http-log",
            "tcp-log",
        ),
        *("udp-log", "zipkin", "opentelemetry", "proxy-cache", "statsd", "datadog"),
    )
)


def stations(asked: Asked, owners: list[Meta]) -> list[Station]:
    """The plugins that an Ingress and its Service name, up to the one that refuses."""
    every = {(p.meta.namespace, p.meta.name): p for p in asked.world.inventory.of("KongPlugin")}
    cluster = {p.meta.name: p for p in asked.world.inventory.of("KongClusterPlugin")}
    found: list[Foreign] = []
    out: list[Station] = []
    for owner in owners:
        for name in filter(None, (part.strip() for part in owner.annotations.get("konghq.com/plugins", "").split(","))):
            plugin = every.get((owner.namespace, name)) or cluster.get(name)
            field = ("metadata", "annotations", "konghq.com/plugins")
            if plugin is not None:
                found.append(plugin)
            elif asked.world.complete("KongPlugin", namespace=owner.namespace) and asked.world.complete("KongClusterPlugin"):
                out.append(asked.allowed("extensions", f"KongPlugin {name} does not exist: Kong serves the route without it", owner, field))
            else:
                out.append(asked.unknown("extensions", f"the KongPlugin `{owner.namespace}/{name}`: it is not in the input", owner, field))
    for plugin in sorted(found, key=lambda p: -_PRIORITY.get(str(p.value.get("plugin")), 0)):
        station = _one(asked, plugin)
        if station is not None:
            out.append(station)
            if station.verdict == DENIED or station.answers:
                break
    return out


def _one(asked: Asked, plugin: Foreign) -> Station | None:
    name, config = str(plugin.value.get("plugin")), plugin.value.get("config")
    config = config if isinstance(config, dict) else {}
    field = ("config",)
    preflight = asked.method == "OPTIONS"
    if plugin.value.get("disabled") is True:
        return None
    if name in _MISSING:
        if preflight and config.get("run_on_preflight") is False:
            return None
        if config.get("anonymous"):
            return asked.unknown("access", f"what the anonymous consumer of {plugin.meta.ref} may do", plugin.meta, field)
        names = config.get("key_names") or ["apikey"]
        brings = any(asked.has(str(n).lower()) for n in names) if name == "key-auth" else asked.has("authorization")
        if not brings:
            symptom = Symptom("http", 401, _MISSING[name])
            return asked.denied("access", f"{plugin.meta.ref} ({name}): the request brings no credentials", plugin.meta, field, symptom)
        return asked.unknown("access", f"whether {plugin.meta.ref} ({name}) accepts the credentials", plugin.meta, field)
    if name == "ip-restriction":
        symptom = Symptom("http", config.get("status") or 403, config.get("message") or "Your IP address is not allowed")
        return asked.listed("access", plugin.meta, field, symptom, allow=config.get("allow") or (), deny=config.get("deny") or ())
    if name == "acl":
        return asked.unknown("access", f"which groups the consumer has ({plugin.meta.ref})", plugin.meta, field)
    if name == "request-termination":
        status = config.get("status_code") or 503
        return asked.denied(
            "route", f"{plugin.meta.ref}: request-termination", plugin.meta, field, Symptom("http", status, config.get("message") or "")
        )
    if name == "cors":
        return _cors(asked, plugin, config)
    return (
        None if name in _HARMLESS else asked.unknown("extensions", f"what {plugin.meta.ref} ({name}) makes of the call", plugin.meta, field)
    )


def _cors(asked: Asked, plugin: Foreign, config: dict[str, object]) -> Station | None:
    if not asked.has("origin"):
        return None
    origin, first = asked.headers["origin"][0], is_preflight(asked.method, asked.headers)
    wanted = config.get("origins")
    origins = [str(o) for o in wanted] if isinstance(wanted, list) else ["*"]
    allowed = origins[0] if len(origins) == 1 else origin if origin in origins else None
    added = {"access-control-allow-origin": allowed} if allowed is not None else {}
    if config.get("credentials") is True:
        added["access-control-allow-credentials"] = "true"
    methods, headers = config.get("methods"), config.get("headers")
    if first:
        usual = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
        added["access-control-allow-methods"] = ",".join(map(str, methods if isinstance(methods, list) else usual))
        asked_for = ",".join(asked.headers.get("access-control-request-headers", ()))
        added["access-control-allow-headers"] = ",".join(map(str, headers)) if isinstance(headers, list) else asked_for
    symptom = Symptom("http", 200 if first else None, "", added)
    return replace(
        asked.allowed("cors", "preflight answered" if first else "adds CORS headers", plugin.meta, ("config",)),
        symptom=symptom,
        answers=first,
    )
