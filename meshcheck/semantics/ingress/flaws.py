"""Annotations that make a location answer 503 or a whole host 403, because what they name is not there or has no valid form.

Source: kubernetes/ingress-nginx:internal/ingress/annotations/{annotations.go:Extract,auth,authreq,authtls,customheaders,ipallowlist,
ipdenylist,proxyssl}, internal/ingress/controller/store/backend_ssl.go:getPemCertificate.
"""

from __future__ import annotations

import re

from meshcheck.model.ingress import Ingress
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.addresses import parse_block
from meshcheck.semantics.ingress.annotations import is_valid, name_in_use, note, text
from meshcheck.semantics.ingress.controller import Controller
from meshcheck.semantics.world.world import World


class Flaw(NamedTuple):
    """What is wrong, and the annotation that says it."""

    words: str
    annotation: str


def flaw(world: World, controller: Controller, ingress: Ingress) -> Flaw | None:
    """Why the locations of an Ingress answer 503; None when they do not."""
    return world.once(("flaw", id(controller.workload), id(ingress)), lambda: _flaw(world, controller, ingress))


def _flaw(world: World, controller: Controller, ingress: Ingress) -> Flaw | None:
    for name in ("allowlist-source-range", "denylist-source-range"):
        found = note(ingress, name)
        if found is not None and (not found.strip() or not is_valid(ingress, name)):
            used = name_in_use(ingress, name)
            wrong = [part.strip() for part in found.split(",") if parse_block(part.strip()) is None]
            return Flaw(f"`{wrong[0]}` is no CIDR" if found.strip() else f"annotation {used} is empty", used)
    return (
        _of_passwords(world, controller, ingress)
        or _of_authorizer(world, controller, ingress)
        or certificate_flaw(world, controller, ingress, "auth-tls-secret")
        or certificate_flaw(world, controller, ingress, "proxy-ssl-secret")
        or _of_headers(world, controller, ingress)
    )


def auth_secret(ingress: Ingress) -> tuple[str, str]:
    """Namespace and name of the Secret with passwords."""
    namespace, _, name = (text(ingress, "auth-secret") or "").rpartition("/")
    return namespace or ingress.meta.namespace, name


def _of_passwords(world: World, controller: Controller, ingress: Ingress) -> Flaw | None:
    if text(ingress, "auth-type") is None:
        return None
    namespace, name = auth_secret(ingress)
    if not name or "/" in namespace:
        return Flaw(f"auth-secret `{note(ingress, 'auth-secret') or ''}` names no Secret", "auth-secret")
    if namespace != ingress.meta.namespace and not controller.on("allow-cross-namespace-resources"):
        return Flaw(f"auth-secret {namespace}/{name} is in another namespace", "auth-secret")
    secret = world.secret(namespace, name)
    if secret is None:
        return (
            Flaw(f"auth-secret {namespace}/{name} does not exist", "auth-secret")
            if world.complete("Secret", namespace=namespace, name=name)
            else None
        )
    if (text(ingress, "auth-secret-type") or "auth-file") != "auth-map" and "auth" not in secret.keys:
        return Flaw(f"auth-secret {namespace}/{name} has no key `auth`", "auth-secret")
    return None


def finds_passwords(world: World, controller: Controller, ingress: Ingress) -> bool:
    """Whether the controller finds the Secret of `auth-secret`, whatever is in it."""
    if text(ingress, "auth-type") is None:
        return False
    namespace, name = auth_secret(ingress)
    own = namespace == ingress.meta.namespace or controller.on("allow-cross-namespace-resources")
    return bool(name) and own and world.secret(namespace, name) is not None


def is_url(value: str) -> bool:
    """Whether the controller takes a text for a URL: with a scheme and a host without two dots."""
    match = re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)(:[0-9]*)?([/?#].*)?", value)
    return match is not None and bool(match[1] or match[2]) and ".." not in match[1]


def _of_authorizer(world: World, controller: Controller, ingress: Ingress) -> Flaw | None:
    url = text(ingress, "auth-url")
    if url is None:
        return None
    if not is_url(url):
        return Flaw(f"auth-url `{url}` is no URL with scheme and host", "auth-url")
    if not is_valid(ingress, "auth-method"):
        return Flaw(f"auth-method `{note(ingress, 'auth-method')}` is no HTTP method", "auth-method")
    durations = [part.strip() for part in (text(ingress, "auth-cache-duration") or "").split(",") if part.strip()]
    if not all(_is_duration(part) for part in durations):
        return Flaw(f"auth-cache-duration `{note(ingress, 'auth-cache-duration')}` has no valid form", "auth-cache-duration")
    headers = [part.strip() for part in (text(ingress, "auth-response-headers") or "").split(",") if part.strip()]
    if not is_valid(ingress, "auth-response-headers") or not all(re.fullmatch(r"[a-zA-Z\d\-_]+", part) for part in headers):
        return Flaw(f"auth-response-headers `{note(ingress, 'auth-response-headers')}` are no names of headers", "auth-response-headers")
    name = text(ingress, "auth-proxy-set-headers")
    if name is None:
        return None
    namespace = name.partition("/")[0] if "/" in name else ingress.meta.namespace
    foreign = namespace != ingress.meta.namespace and not controller.on("allow-cross-namespace-resources")
    return _of_map(world, name, "auth-proxy-set-headers", "is in another namespace" if foreign else "", None)


def _is_duration(value: str) -> bool:
    codes, _, last = value.rpartition(" ")
    return re.fullmatch(r"\d+(ms|s|m|h|d|w|M|y)", last) is not None and all(re.fullmatch(r"\d{3}", c) for c in codes.split())


def _of_map(world: World, name: str, annotation: str, wrong: str, allowed: tuple[str, ...] | None) -> Flaw | None:
    """A ConfigMap with headers: it is looked for as NAMESPACE/NAME, and `allowed` are the names that it may hold."""
    namespace, slash, short = name.partition("/")
    found = world.config_map(namespace, short) if slash else None
    data = found[1] if found is not None else None
    if not wrong and not slash:
        wrong = "is not of the form NAMESPACE/NAME"
    if not wrong and data is None and world.complete("ConfigMap", namespace=namespace):
        wrong = "does not exist"
    for header in data or ():
        if not re.fullmatch(r"[a-zA-Z\d\-_]+", str(header)):
            wrong = wrong or f"holds `{header}`, which is no name of a header"
        elif allowed is not None and header not in allowed:
            wrong = wrong or f"holds header {header}, which is not one of global-allowed-response-headers"
    return Flaw(f"{annotation} {name} {wrong}", annotation) if wrong else None


def _of_headers(world: World, controller: Controller, ingress: Ingress) -> Flaw | None:
    name = text(ingress, "custom-headers")
    if name is None:
        return None
    allowed = tuple(part.strip() for part in controller.text("global-allowed-response-headers").split(","))
    return _of_map(world, name, "custom-headers", "", allowed)


def certificate_flaw(world: World, controller: Controller, ingress: Ingress, annotation: str) -> Flaw | None:
    """What is wrong with a Secret of certificates; with `auth-tls-secret` the whole host answers 403."""
    name = text(ingress, annotation)
    if name is None:
        return None
    parts = name.split("/")
    if len(parts) != 2:
        return Flaw(f"{annotation} `{name}` is not of the form NAMESPACE/NAME", annotation)
    if (parts[0] or ingress.meta.namespace) != ingress.meta.namespace and not controller.on("allow-cross-namespace-resources"):
        return Flaw(f"{annotation} `{name}` is in another namespace", annotation)
    secret = world.secret(parts[0], parts[1])
    if secret is None:
        return (
            Flaw(f"{annotation} `{name}` does not exist", annotation)
            if world.complete("Secret", namespace=parts[0], name=parts[1])
            else None
        )
    if not {"tls.crt", "tls.key"} <= set(secret.keys) and "ca.crt" not in secret.keys:
        return Flaw(f"{annotation} `{name}` has neither a certificate with its key nor ca.crt", annotation)
    return None


def asks_for_certificates(world: World, ingress: Ingress) -> bool | None:
    """Whether an Ingress makes its host look at client certificates: its Secret has a ca.crt; None when it is not in the input."""
    namespace, slash, name = (text(ingress, "auth-tls-secret") or "").partition("/")
    if not slash:
        return False
    secret = world.secret(namespace, name)
    return None if secret is None else "ca.crt" in secret.keys
