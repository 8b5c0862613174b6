"""The API server's own words for a refusal: written, and read again.

Sources: kubernetes/apiserver:pkg/endpoints/handlers/responsewriters/errors.go:forbiddenMessage;
kubernetes/apimachinery:pkg/api/errors/errors.go:NewForbidden.
"""

from __future__ import annotations

import json

from meshcheck.model.pattern import pattern
from meshcheck.model.rbac import ApiRequest, groups_of

_TEXT = r'"(?:[^"\\]|\\.)*"'
_REFUSAL = pattern(
    rf"(?:(?P<what>\S+)(?: (?P<name>{_TEXT}))? is )?forbidden: User (?P<user>{_TEXT}) cannot (?P<verb>\S+) "
    rf"(?:path (?P<path>{_TEXT})|resource (?P<resource>{_TEXT}) in API group (?P<group>{_TEXT})"
    rf"(?: in the namespace (?P<namespace>{_TEXT})| at the cluster scope))"
)


def forbidden(request: ApiRequest, reason: str = "") -> str:
    """The message of the 403; kubectl puts `Error from server (Forbidden): ` before it."""
    where = f" in the namespace {_quoted(request.namespace)}" if request.namespace else " at the cluster scope"
    inner = (
        f"User {_quoted(request.user)} cannot {request.verb} path {_quoted(request.path)}"
        if request.path is not None
        else f"User {_quoted(request.user)} cannot {request.verb} resource {_quoted(request.full_resource)}"
        f" in API group {_quoted(request.group)}{where}"
    )
    inner = inner.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if reason:
        inner += f": {reason}"
    if request.path is not None:
        return f"forbidden: {inner}"
    what = f"{request.resource}.{request.group}" if request.group else request.resource
    return f"{what} {_quoted(request.name)} is forbidden: {inner}" if request.name else f"{what} is forbidden: {inner}"


def refused(message: str, groups: tuple[str, ...] | None = None) -> ApiRequest | None:
    """The request that a 403 message is about, wherever in a text it stands; None when it is no refusal by an authorizer.

    The message does not name the user's groups: without `groups` those that follow from the name are taken.
    """
    found = _REFUSAL.search(message)
    if found is None:
        return None
    user = _unquoted(found["user"])
    groups = groups_of(user) if groups is None else groups
    if found["path"]:
        return ApiRequest(user, groups, found["verb"], path=_unquoted(found["path"]))
    resource, _, subresource = _unquoted(found["resource"]).partition("/")
    return ApiRequest(
        user,
        groups,
        found["verb"],
        _unquoted(found["group"]),
        resource,
        subresource,
        _unquoted(found["name"]),
        _unquoted(found["namespace"]),
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _unquoted(text: str | None) -> str:
    if not text:
        return ""
    try:
        value: str = json.loads(text)
    except ValueError:
        value = text[1:-1]
    return value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
