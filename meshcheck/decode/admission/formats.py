"""Formats of texts that Kubernetes gives names: what is wrong with a text, or None.

Sources: kubernetes/kubernetes:staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go, .../pkg/api/validate/content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from meshcheck.decode.admission.words import shown, size
from meshcheck.model.pattern import pattern

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
_LABEL, _SUBDOMAIN = pattern(LABEL), pattern(SUBDOMAIN)
_LABEL_1035 = pattern(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_WILDCARD = pattern(rf"\*\.{SUBDOMAIN}")
_NAME_PART = pattern(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PORT_NAME = pattern(r"[-a-z0-9]+")
_ENVIRONMENT = pattern(r"[ -<>-~]+")
_HEADER = pattern(r"[-A-Za-z0-9]+")
_CONFIG_KEY = pattern(r"[-._a-zA-Z0-9]+")


def matching(pattern: str, what: str) -> Callable[[str], str | None]:
    """A format that is a pattern for the whole text; `what` says how a good text looks. Compiled when it is first asked."""

    def form(text: str) -> str | None:
        return None if re.fullmatch(pattern, text) else f"`{shown(text)}` is not {what}"

    return form


@lru_cache(4096)
def label_key(text: str) -> str | None:
    """Key of a label or annotation: an optional domain, a slash, a name."""
    prefix, slash, name = text.rpartition("/")
    if slash and (not prefix or dns_subdomain(prefix)):
        return f"`{shown(text)}` is no label key: what stands before the slash must be a domain in lower case"
    if len(name) > 63:
        return f"`{shown(text)}` is no label key: its name has more than 63 characters"
    if not _NAME_PART.fullmatch(name):
        return f"`{shown(text)}` is no label key: letters, digits, `-`, `_` and `.`, a letter or digit first and last"
    return None


@lru_cache(4096)
def label_value(text: str) -> str | None:
    """Value of a label."""
    if size(text) > 63:
        return f"`{shown(text)}` has more than 63 characters, too many for a label"
    if text and not _NAME_PART.fullmatch(text):
        return f"`{shown(text)}` is no label value: letters, digits, `-`, `_` and `.`, a letter or digit first and last"
    return None


@lru_cache(4096)
def dns_label(text: str) -> str | None:
    """RFC 1123 label: names of namespaces, Services, containers."""
    if len(text) > 63:
        return f"`{shown(text)}` has more than 63 characters"
    if not _LABEL.fullmatch(text):
        return f"`{shown(text)}` is no DNS label: lower-case letters, digits and `-`, a letter or digit first and last"
    return None


@lru_cache(4096)
def dns_subdomain(text: str) -> str | None:
    """RFC 1123 subdomain: names of most objects."""
    if len(text) > 253:
        return f"`{shown(text)}` has more than 253 characters"
    if not _SUBDOMAIN.fullmatch(text):
        return f"`{shown(text)}` is no DNS name: lower-case letters, digits, `-` and `.`, a letter or digit first and last in each part"
    return None


def dns_label_1035(text: str) -> str | None:
    """RFC 1035 label: names that begin with a letter."""
    if len(text) > 63:
        return f"`{shown(text)}` has more than 63 characters"
    if not _LABEL_1035.fullmatch(text):
        return f"`{shown(text)}` must be lower-case letters, digits and `-`, a letter first, a letter or digit last"
    return None


def wildcard_subdomain(text: str) -> str | None:
    """`*.` and a subdomain."""
    if len(text) > 253:
        return f"`{shown(text)}` has more than 253 characters"
    return None if _WILDCARD.fullmatch(text) else f"`{shown(text)}` is no wildcard host such as `*.example.com`"


def path_segment(text: str) -> str | None:
    """Names of RBAC objects: whatever may stand in a URL's path."""
    if text in (".", "..") or "/" in text or "%" in text:
        return f"`{shown(text)}` must not be `.` or `..` nor hold `/` or `%`"
    return None


@lru_cache(1024)
def port_name(text: str) -> str | None:
    """IANA service name: names of container ports, targets of Services."""
    if len(text) > 15:
        return f"port name `{shown(text)}` has more than 15 characters"
    if not _PORT_NAME.fullmatch(text):
        return f"port name `{shown(text)}` may hold lower-case letters, digits and `-` only"
    if text.isdigit() or not re.search("[a-z]", text):
        return f"port name `{shown(text)}` has no letter{'; write the number without quotes' if text.isdigit() else ''}"
    if "--" in text or text[0] == "-" or text[-1] == "-":
        return f"port name `{shown(text)}` must not begin or end with `-` nor hold `--`"
    return None


def environment_name(text: str) -> str | None:
    """Name of an environment variable: printable ASCII without `=`."""
    if text in (".", "..") or text.startswith(".."):
        return None if text not in (".", "..") else f"`{text}` is no name"
    return None if _ENVIRONMENT.fullmatch(text) else f"`{shown(text)}` is no name of an environment variable: printable ASCII without `=`"


def header_name(text: str) -> str | None:
    """Name of an HTTP header of a probe."""
    return None if _HEADER.fullmatch(text) else f"`{shown(text)}` is no header name: letters, digits and `-`"


def config_key(text: str) -> str | None:
    """Key of a ConfigMap or Secret."""
    if len(text) > 253:
        return f"`{shown(text)}` has more than 253 characters"
    if not _CONFIG_KEY.fullmatch(text) or text in (".", "..") or text.startswith(".."):
        return f"`{shown(text)}` is no key: letters, digits, `-`, `_` and `.`, not `..` first"
    return None


def absolute(text: str) -> str | None:
    """A path that begins with a slash."""
    return None if text.startswith("/") else f"`{shown(text)}` must begin with `/`"
