"""The request that the API server puts to its authorizers, from a method and a URL, or from impersonation headers.

Sources: kubernetes/apiserver:pkg/endpoints/request/requestinfo.go:NewRequestInfo,
pkg/endpoints/filters/impersonation/impersonation.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs, unquote, urlsplit

from meshcheck.model.rbac import ANONYMOUS, AUTHENTICATED, ApiRequest, account_of, groups_of

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_OF_NAMESPACES = ("status", "finalize")
_TRUE = ("1", "t", "true", "")


def request_of(user: str, groups: tuple[str, ...], method: str, url: str) -> ApiRequest:
    """What a method and a URL (or its path and query) ask for."""
    split = urlsplit(url)
    path = unquote(split.path)
    parts = path.strip("/").split("/")
    if parts[0] not in ("api", "apis") or len(parts) < (3 if parts[0] == "api" else 4):
        return ApiRequest(user, groups, method.lower(), path=path)
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    verb = _VERBS.get(method.upper(), "")
    if rest[0] in ("watch", "proxy") and len(rest) > 1:
        verb, rest = rest[0], rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _OF_NAMESPACES:
            rest = rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 and verb != "proxy" else ""
    if not name:
        verb, name = _of_a_collection(verb, split.query)
    return ApiRequest(user, groups, verb, group, rest[0], subresource, name, namespace)


def _of_a_collection(verb: str, query: str) -> tuple[str, str]:
    """Verb and name of a request without a name; a field selector on the name is as good as the name."""
    options = parse_qs(query, keep_blank_values=True)
    if verb == "get":
        watch = options.get("watch", [None])[0]
        verb = "watch" if watch is not None and watch.lower() in _TRUE else "list"
    elif verb == "delete":
        verb = "deletecollection"
    name = ""
    if verb in ("list", "watch", "deletecollection"):
        for selector in options.get("fieldSelector", [""])[0].split(","):
            field, sign, wanted = selector.partition("=")
            if field == "metadata.name" and sign:
                name = wanted.removeprefix("=")
    return verb, name


def impersonation(
    user: str,
    groups: tuple[str, ...],
    become: str,
    become_groups: Iterable[str] = (),
    *,
    uid: str = "",
    extra: Mapping[str, Iterable[str]] | None = None,
) -> tuple[ApiRequest, ...]:
    """What a user must be allowed before the API server takes its impersonation headers; the first that is not is the 403."""
    account = account_of(become)
    if account:
        checks = [ApiRequest(user, groups, "impersonate", "", "serviceaccounts", "", account[1], account[0])]
    else:
        checks = [ApiRequest(user, groups, "impersonate", "", "users", "", become)]
    checks += [ApiRequest(user, groups, "impersonate", "", "groups", "", group) for group in become_groups]
    own = "authentication.k8s.io"
    for key, values in (extra or {}).items():
        checks += [ApiRequest(user, groups, "impersonate", own, "userextras", key, text) for text in values]
    if uid:
        checks.append(ApiRequest(user, groups, "impersonate", own, "uids", "", uid))
    return tuple(checks)


def impersonated_groups(become: str, given: tuple[str, ...]) -> tuple[str, ...]:
    """The groups that the impersonated user has: a service account's own when none are given, and that of everybody known."""
    if not given:
        return groups_of(become)
    return given if become == ANONYMOUS or AUTHENTICATED in given else (*given, AUTHENTICATED)
