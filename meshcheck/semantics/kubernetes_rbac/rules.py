"""Does a rule cover a request?

Source: kubernetes/kubernetes:pkg/apis/rbac/v1/evaluation_helpers.go (VerbMatches, APIGroupMatches, ResourceMatches, ResourceNameMatches,
NonResourceURLMatches), plugin/pkg/auth/authorizer/rbac/rbac.go:RuleAllows. Everything is compared by case.
"""

from __future__ import annotations

from meshcheck.model.rbac import ApiRequest, Rule


def covers(rule: Rule, request: ApiRequest) -> bool:
    """Whether a rule allows a request."""
    if request.verb not in rule.verbs and "*" not in rule.verbs:
        return False
    if request.path is not None:
        return url_matches(rule, request.path)
    return (
        (request.group in rule.groups or "*" in rule.groups)
        and resource_matches(rule, request)
        and (not rule.names or request.name in rule.names)
    )


def verb_matches(rule: Rule, request: ApiRequest) -> bool:
    """Whether the verbs cover the request's."""
    return request.verb in rule.verbs or "*" in rule.verbs


def group_matches(rule: Rule, request: ApiRequest) -> bool:
    """Whether the API groups cover the request's."""
    return request.group in rule.groups or "*" in rule.groups


def resource_matches(rule: Rule, request: ApiRequest) -> bool:
    """Whether the resources cover the request's: `*` covers subresources, `pods` does not cover `pods/log`, `pods/*` is no pattern."""
    listed = rule.resources
    return "*" in listed or request.full_resource in listed or (bool(request.subresource) and f"*/{request.subresource}" in listed)


def name_matches(rule: Rule, request: ApiRequest) -> bool:
    """Whether the resource names cover the request's; one without a name is covered by rules without names only."""
    return not rule.names or request.name in rule.names


def url_matches(rule: Rule, path: str) -> bool:
    """Whether the paths cover the request's; only `*` at the end is a pattern."""
    return any(url in ("*", path) or (url.endswith("*") and path.startswith(url.rstrip("*"))) for url in rule.urls)
