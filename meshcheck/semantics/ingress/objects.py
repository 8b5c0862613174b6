"""Which Ingresses a controller serves, and which it leaves aside, with the reason.

Source: kubernetes/ingress-nginx:internal/ingress/controller/store/store.go (syncIngress, GetIngressClass, sortIngressSlice),
internal/ingress/annotations/annotations.go:Extract.
"""

from __future__ import annotations

from meshcheck.model.ingress import Ingress
from meshcheck.semantics.ingress.annotations import PREFIX, is_valid, name_in_use, note, text
from meshcheck.semantics.ingress.controller import Controller
from meshcheck.semantics.ingress.flaws import certificate_flaw, finds_passwords
from meshcheck.semantics.world.world import World

SNIPPETS = ("configuration-snippet", "server-snippet", "stream-snippet", "auth-snippet", "modsecurity-snippet")
_HIGH = frozenset(
    (
        *("auth-signin", "auth-tls-error-page", "auth-tls-match-cn", "auth-url", "mirror-host", "mirror-target"),
        *("modsecurity-transaction-id", "proxy-ssl-name", "server-alias", "upstream-hash-by"),
    )
)
_MEDIUM = frozenset(
    (
        *("affinity-mode", "allowlist-source-range", "whitelist-source-range", "app-root", "auth-cache-duration", "auth-cache-key"),
        *("auth-proxy-set-headers", "auth-realm", "auth-request-redirect", "auth-response-headers", "auth-secret"),
        *("auth-signin-redirect-param", "auth-tls-secret", "auth-tls-verify-client", "canary-by-cookie", "canary-by-header"),
        *("canary-by-header-pattern", "canary-by-header-value", "cors-allow-headers", "cors-allow-methods", "cors-allow-origin"),
        *("cors-expose-headers", "custom-headers", "denylist-source-range", "fastcgi-index", "fastcgi-params-configmap"),
        *("force-ssl-redirect", "opentelemetry-operation-name", "permanent-redirect", "preserve-trailing-slash", "proxy-body-size"),
        *("proxy-cookie-domain", "proxy-cookie-path", "proxy-next-upstream", "proxy-redirect-from", "proxy-redirect-to"),
        *("proxy-ssl-ciphers", "proxy-ssl-secret", "rewrite-target", "session-cookie-domain", "session-cookie-expires"),
        *("session-cookie-max-age", "session-cookie-name", "session-cookie-path", "temporal-redirect", "x-forwarded-prefix"),
    )
)
_FATAL = (
    *("server-alias", "auth-type", "auth-url", "auth-tls-secret", "custom-http-errors", "default-backend", "upstream-vhost"),
    *("ssl-passthrough", "http2-push-preload", "from-to-www-redirect", "relative-redirects", "temporal-redirect", "limit-rpm", "limit-rps"),
    *("limit-connections", "limit-allowlist", "proxy-ssl-secret", "x-forwarded-prefix"),
)
"""Where a value of the wrong form makes the controller leave the whole Ingress aside, and not only the setting."""


_OF_CERTIFICATES = ("auth-tls-error-page", "auth-tls-pass-certificate-to-upstream", "auth-tls-match-cn")
"""The same, where the Secret with the CA was found."""


def served(world: World, controller: Controller) -> tuple[list[Ingress], list[tuple[Ingress, str]]]:
    """The Ingresses that count, the oldest first, and those that do not."""
    return world.once(("served", id(controller.workload)), lambda: _served(world, controller))


def _served(world: World, controller: Controller) -> tuple[list[Ingress], list[tuple[Ingress, str]]]:
    found: list[Ingress] = []
    others: list[tuple[Ingress, str]] = []
    by_name = sorted(world.inventory.of("Ingress"), key=lambda i: f"{i.meta.namespace}/{i.meta.name}", reverse=True)
    for ingress in sorted(by_name, key=lambda i: i.meta.created or "9999"):  # of the same age: the last of the alphabet goes first
        why = _not_its_class(world, controller, ingress) or _too_risky(controller, ingress) or _not_valid(world, controller, ingress)
        if why is None:
            found.append(ingress)
        else:
            others.append((ingress, why))
    return found, others


def _not_its_class(world: World, controller: Controller, ingress: Ingress) -> str | None:
    watched = controller.option("watch-namespace")
    if watched and watched != ingress.meta.namespace:
        return f"the controller watches namespace {watched} only"
    if ingress.default_backend is not None and controller.option("disable-catch-all") in ("true", ""):
        return "it has a defaultBackend, and the controller runs with --disable-catch-all"
    if ingress.class_name is not None:
        classes = {c.meta.name: c.controller for c in world.inventory.of("IngressClass")}
        owner = classes.get(ingress.class_name)
        if owner is None:  # a chart makes the class beside the controller: it is often not among an application's manifests
            known = ingress.class_name == controller.ingress_class and not world.complete("IngressClass", namespace=ingress.class_name)
            return None if known else f"there is no IngressClass `{ingress.class_name}`"
        by_name = controller.option("ingress-class-by-name") in ("true", "") and ingress.class_name == controller.ingress_class
        return None if owner == controller.controller_class or by_name else f"IngressClass {ingress.class_name} belongs to {owner}"
    legacy = ingress.meta.annotations.get("kubernetes.io/ingress.class")
    if legacy is not None:
        return None if legacy == controller.ingress_class else f"its class is `{legacy}`"
    return None if controller.without_class else "it has no class (spec.ingressClassName)"


def _too_risky(controller: Controller, ingress: Ingress) -> str | None:
    level = (controller.text("annotations-risk-level") or "High").lower()
    refused = () if level == "critical" else SNIPPETS if level == "high" else (*SNIPPETS, *_HIGH)
    if level not in ("critical", "high", "medium"):
        refused = (*refused, *_MEDIUM)
    used = [name for name in refused if PREFIX + name in ingress.meta.annotations]
    if not used:
        return None
    return f"annotation {used[0]} is above annotations-risk-level {level.capitalize()}: the whole Ingress is ignored"


def _not_valid(world: World, controller: Controller, ingress: Ingress) -> str | None:
    words = [word for word in controller.text("annotation-value-word-blocklist").strip().split(",") if word]
    for key, value in ingress.meta.annotations.items() if words else ():
        if key.startswith(PREFIX) and any(word in value for word in words):
            return f"annotation {key.removeprefix(PREFIX)} holds a word of annotation-value-word-blocklist: the whole Ingress is ignored"
    if controller.option("enable-annotation-validation") == "false":
        return None
    wrong = next((name for name in _FATAL if not is_valid(ingress, name)), None)
    if wrong is None and text(ingress, "auth-type") and not is_valid(ingress, "auth-secret-type"):
        wrong = "auth-secret-type"
    if wrong is None and not is_valid(ingress, "auth-realm") and finds_passwords(world, controller, ingress):
        wrong = "auth-realm"
    if wrong is None and text(ingress, "auth-tls-secret") and certificate_flaw(world, controller, ingress, "auth-tls-secret") is None:
        wrong = next((name for name in _OF_CERTIFICATES if not is_valid(ingress, name)), None)
    if wrong is None:
        temporal = text(ingress, "temporal-redirect")
        asked = ("temporal-redirect-code",) if temporal else ("permanent-redirect", "permanent-redirect-code")
        wrong = next((name for name in asked if not is_valid(ingress, name)), None)
    if wrong is None:
        return None
    return f"annotation {name_in_use(ingress, wrong)} has no valid value (`{note(ingress, wrong)}`): the whole Ingress is ignored"
