"""Load balancers of clouds, and HAProxy: annotations that refuse.

Sources: kubernetes-sigs/aws-load-balancer-controller:docs/guide/ingress/annotations.md; kubernetes/ingress-gce;
haproxytech/kubernetes-ingress:documentation/annotations.md; jcmoraisjr/haproxy-ingress.
"""

from __future__ import annotations

from meshcheck.model.core import Service
from meshcheck.model.ingress import Ingress
from meshcheck.model.record import replace
from meshcheck.model.trace import Station, Symptom
from meshcheck.semantics.ingress.others.asked import Asked
from meshcheck.semantics.tracing import symptoms

_FORBIDDEN = Symptom("http", 403, "Forbidden")


def aws(asked: Asked, ingress: Ingress) -> list[Station]:
    """The AWS Load Balancer Controller: security groups drop, WAF and authentication answer."""
    out: list[Station | None] = []
    for key, field, value in _notes(ingress, "alb.ingress.kubernetes.io/"):
        if key == "inbound-cidrs" and not ingress.meta.annotations.get("alb.ingress.kubernetes.io/security-groups"):
            out.append(asked.listed("load-balancer", ingress.meta, field, symptoms.TIMEOUT, allow=value.split(",")))
        elif key in ("security-groups", "security-group-prefix-lists"):
            out.append(asked.unknown("load-balancer", f"whom {key} {value} lets in", ingress.meta, field))
        elif key == "scheme" and value == "internal":
            out.append(
                asked.unknown("load-balancer", "whether the client is in the network of the internal load balancer", ingress.meta, field)
            )
        elif key in ("wafv2-acl-arn", "waf-acl-id"):
            out.append(asked.unknown("access", f"what the web ACL {value} says", ingress.meta, field))
        elif key == "auth-type" and value in ("oidc", "cognito"):
            out.append(_authenticate(asked, ingress, value))
    return [s for s in out if s is not None]


def _authenticate(asked: Asked, ingress: Ingress, kind: str) -> Station | None:
    action = ingress.meta.annotations.get("alb.ingress.kubernetes.io/auth-on-unauthenticated-request", "authenticate")
    field = ("metadata", "annotations", "alb.ingress.kubernetes.io/auth-type")
    if asked.has("cookie"):
        return asked.unknown("oidc", "whether the cookie is of a session that is still good", ingress.meta, field)
    if action == "deny":
        return asked.denied("oidc", f"{kind}: no session", ingress.meta, field, Symptom("http", 401, "Unauthorized"))
    if action == "allow":
        return None
    symptom = Symptom("http", 302, "", {"location": "the identity provider"})
    return replace(
        asked.allowed("oidc", f"{kind}: no session, 302 to the identity provider", ingress.meta, field), symptom=symptom, answers=True
    )


def gke(asked: Asked, ingress: Ingress, service: Service | None) -> list[Station]:
    """GKE: the BackendConfig that the Service names."""
    out: list[Station] = []
    for key in ("cloud.google.com/backend-config", "beta.cloud.google.com/backend-config"):
        written = service.meta.annotations.get(key, "") if service is not None else ""
        for config in asked.world.inventory.of("BackendConfig"):
            if service is None or config.meta.namespace != service.namespace or f'"{config.meta.name}"' not in written:
                continue
            if (config.spec.get("securityPolicy") or {}).get("name"):
                fact = f"what the Cloud Armor policy {config.spec['securityPolicy']['name']} says"
                out.append(asked.unknown("access", fact, config.meta, ("spec", "securityPolicy")))
            if (config.spec.get("iap") or {}).get("enabled") is True:
                if asked.has("cookie") or asked.has("authorization"):
                    out.append(asked.unknown("oidc", "whether IAP accepts the session or the token", config.meta, ("spec", "iap")))
                elif asked.method == "GET" and "text/html" in ",".join(asked.headers.get("accept", ())):
                    symptom = Symptom("http", 302, "", {"location": "the sign-in page"})
                    station = asked.allowed("oidc", "IAP: no session, 302 to the sign-in page", config.meta, ("spec", "iap"))
                    out.append(replace(station, symptom=symptom, answers=True))
                else:
                    symptom = Symptom("http", 401, "Invalid IAP credentials: empty token")
                    out.append(asked.denied("oidc", "IAP: no session", config.meta, ("spec", "iap"), symptom))
    return out


def haproxy(asked: Asked, ingress: Ingress) -> list[Station]:
    """Both HAProxy controllers: lists of addresses, basic authentication, external authorizers."""
    out: list[Station | None] = []
    for prefix in ("haproxy.org/", "haproxy-ingress.github.io/"):
        notes = {key: (field, value) for key, field, value in _notes(ingress, prefix)}
        for deny in ("deny-list", "blacklist", "denylist-source-range"):
            if deny in notes:
                out.append(asked.listed("access", ingress.meta, notes[deny][0], _FORBIDDEN, deny=notes[deny][1].split(",")))
        for allow in ("allow-list", "whitelist", "allowlist-source-range", "whitelist-source-range"):
            if allow in notes:
                out.append(asked.listed("access", ingress.meta, notes[allow][0], _FORBIDDEN, allow=notes[allow][1].split(",")))
        skips = prefix == "haproxy-ingress.github.io/" and asked.method == "OPTIONS" and notes.get("cors-enable", ("", ""))[1] == "true"
        if ("auth-type" in notes or "auth-secret" in notes) and not skips:
            field = notes.get("auth-secret", notes.get("auth-type", ((), "")))[0]
            if asked.has("authorization"):
                out.append(asked.unknown("access", "whether the user and the password are accepted", ingress.meta, field))
            else:
                out.append(asked.denied("access", "no user and password", ingress.meta, field, Symptom("http", 401, "Unauthorized")))
        if "auth-url" in notes:
            out.append(asked.unknown("custom", f"what {notes['auth-url'][1]} answers", ingress.meta, notes["auth-url"][0]))
        if skips:
            station = asked.allowed("cors", "OPTIONS is answered with 204", ingress.meta)
            out.append(replace(station, symptom=Symptom("http", 204, "", {}), answers=True))
    return [s for s in out if s is not None]


def _notes(ingress: Ingress, prefix: str) -> list[tuple[str, tuple[str, ...], str]]:
    """(name without prefix, field, value)."""
    return [
        (key.removeprefix(prefix), ("metadata", "annotations", key), value)
        for key, value in ingress.meta.annotations.items()
        if key.startswith(prefix)
    ]
