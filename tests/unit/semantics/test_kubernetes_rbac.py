"""RBAC by its worked examples, and by its corners: near misses, fixes, open worlds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from meshcheck.decode.rbac import bootstrap, collect_rbac
from meshcheck.explain.rbac_fixes import rbac_fixes
from meshcheck.load.read import Reading
from meshcheck.model.rbac import ANONYMOUS, GROUP, UNAUTHENTICATED, ApiRequest, groups_of
from meshcheck.render.can import yaml_of
from meshcheck.semantics.kubernetes_rbac.message import forbidden, refused
from meshcheck.semantics.kubernetes_rbac.near_misses import near_misses
from meshcheck.semantics.kubernetes_rbac.permissions import Permissions
from meshcheck.semantics.kubernetes_rbac.requests import impersonated_groups, impersonation, request_of
from meshcheck.semantics.kubernetes_rbac.who_can import who_can

EXAMPLES = list(yaml.safe_load_all((Path(__file__).parent / "kubernetes_rbac_examples.yaml").read_text()))
CASES = [pytest.param(example, *case, id=f"{example['id']} {case[0]} {case[1]}") for example in EXAMPLES for case in example["req"]]


# ---- the short form of the examples ----


def objects_of(example: dict[str, Any]) -> list[dict[str, Any]]:
    found = [_object("Role", key, rules=rules) for key, rules in example.get("roles", {}).items()]
    for name, role in example.get("clusterroles", {}).items():
        value = _object("ClusterRole", name, rules=role.get("rules", []))
        value["metadata"]["labels"] = role.get("labels", {})
        found.append({**value, "aggregationRule": {"clusterRoleSelectors": role["aggregate"]}} if "aggregate" in role else value)
    for kind, table in (("RoleBinding", "rb"), ("ClusterRoleBinding", "crb")):
        for key, binding in example.get(table, {}).items():
            role_kind, _, role = binding["role"].partition("/")
            found.append(
                _object(
                    kind, key, roleRef={"apiGroup": GROUP, "kind": role_kind, "name": role}, subjects=[_subject(s) for s in binding["to"]]
                )
            )
    return found


def _object(kind: str, key: str, **fields: Any) -> dict[str, Any]:
    namespace, _, name = key.rpartition("/")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, **fields}


def _subject(text: str) -> dict[str, Any]:
    kind, _, name = text.partition(":")
    if kind == "sa":
        namespace, _, name = name.rpartition("/")
        return {"kind": "ServiceAccount", "name": name, **({"namespace": namespace} if namespace else {})}
    return {"kind": {"user": "User", "group": "Group"}[kind], "name": name, "apiGroup": GROUP}


def _caller(text: str) -> tuple[str, tuple[str, ...]]:
    if text == "anon":
        return ANONYMOUS, (UNAUTHENTICATED,)
    first, *groups = text.split("+group:")
    kind, _, name = first.partition(":")
    user = f"system:serviceaccount:{name.replace('/', ':')}" if kind == "sa" else name
    return user, (*groups_of(user), *groups)


def permissions_of(objects: list[dict[str, Any]], closed: bool = True) -> Permissions:
    reading = Reading()
    reading.add_values("example", objects)
    return Permissions(collect_rbac(reading.documents, closed=closed), closed=closed)


def ask(user: str, verb: str, resource: str, namespace: str = "shop", name: str = "", group: str = "") -> ApiRequest:
    base, _, sub = resource.partition("/")
    return ApiRequest(user, groups_of(user), verb, group, base, sub, name, namespace)


@pytest.mark.parametrize(("example", "who", "line", "status", "message"), [pytest.param(*(*c.values, None)[:5], id=c.id) for c in CASES])
def test_worked_examples(example: dict[str, Any], who: str, line: str, status: int, message: str | None) -> None:
    """Allowed exactly for status 200, with the API server's message otherwise."""
    user, groups = _caller(who)
    method, _, target = line.partition(" ")
    if method == "ATTR":
        verb, _, rest = target.partition(" ")
        group, resource, namespace, name = rest.split("|")
        base, _, sub = resource.partition("/")
        request = ApiRequest(user, groups, verb, group, base, sub, name, namespace)
    else:
        request = request_of(user, groups, method, target)
    decision = permissions_of(objects_of(example)).decide(request)
    assert decision.allowed is (status == 200)
    if message:
        assert forbidden(request, decision.said) == message


# ---- what is built in ----


def test_default_objects_are_there_where_the_input_has_none() -> None:
    """An empty world has view, edit, admin and the paths that everybody may read."""
    permissions = permissions_of([])
    assert permissions.decide(ApiRequest(ANONYMOUS, (UNAUTHENTICATED,), "get", path="/healthz")).allowed
    decision = permissions.decide(ApiRequest("ann", groups_of("ann"), "get", path="/api"))
    assert decision.grant
    assert decision.grant.binding.built_in
    assert len(bootstrap()[0]) == 80


def test_an_object_of_the_input_replaces_the_default_one_of_its_name() -> None:
    """Somebody took the discovery away from everybody."""
    binding = _object("ClusterRoleBinding", "system:discovery", roleRef={"kind": "ClusterRole", "name": "system:discovery"}, subjects=[])
    assert permissions_of([binding]).decide(ApiRequest("ann", groups_of("ann"), "get", path="/api")).allowed is False


def test_a_closed_world_with_default_objects_is_complete() -> None:
    """A dump that holds some of them holds all that there are."""
    role = _object("ClusterRole", "view", rules=[])
    role["metadata"]["labels"] = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    request = ApiRequest("ann", groups_of("ann"), "get", path="/version")
    assert permissions_of([role]).decide(request).allowed is False
    assert permissions_of([role], closed=False).decide(request).allowed is True


def test_refused_objects_grant_nothing() -> None:
    """What the API server does not take is kept apart with the field."""
    role = _object("Role", "shop/r", rules=[{"apiGroups": [""], "resources": ["pods"]}])
    permissions = permissions_of([role])
    assert [(meta.name, path) for meta, path, _ in permissions.objects.refused] == [("r", ("rules", 0, "verbs"))]


# ---- sums ----


def test_a_sum_of_nothing_keeps_its_own_rules() -> None:
    """The controller applies an empty list, which takes nothing away."""
    example = {
        "clusterroles": {
            "top": {"aggregate": [{"matchLabels": {"a": "b"}}], "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
        },
        "crb": {"x": {"role": "ClusterRole/top", "to": ["user:ann"]}},
    }
    assert permissions_of(objects_of(example)).decide(ask("ann", "get", "pods")).allowed


def test_sums_in_a_circle_end() -> None:
    """Two roles that are the sum of each other."""
    rule = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    roles = {
        "a": {"labels": {"x": "a"}, "aggregate": [{"matchLabels": {"x": "b"}}], "rules": rule},
        "b": {"labels": {"x": "b"}, "aggregate": [{"matchLabels": {"x": "a"}}]},
    }
    permissions = permissions_of(objects_of({"clusterroles": roles}))
    assert len(permissions.rules["ClusterRole", None, "a"]) <= 1


def test_an_empty_selector_sums_all_other_roles() -> None:
    """Also those that every cluster has."""
    permissions = permissions_of(objects_of({"clusterroles": {"all": {"aggregate": [{}]}}}))
    assert len(permissions.rules["ClusterRole", None, "all"]) > 100


# ---- open worlds ----

READER: dict[str, Any] = {
    "roles": {"shop/r": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]},
    "rb": {"shop/b": {"role": "Role/r", "to": ["sa:web"]}, "shop/d": {"role": "Role/gone", "to": ["sa:job"]}},
}
WEB, JOB, DEV = (f"system:serviceaccount:{name}" for name in ("shop:web", "shop:job", "dev:web"))


@pytest.mark.parametrize(
    ("request_", "allowed", "missing"),
    [
        (ask(WEB, "list", "pods"), True, None),
        (ask(WEB, "watch", "pods"), False, None),
        (ask(WEB, "watch", "pods", "data"), None, "RoleBindings in namespace data and ClusterRoleBindings for ServiceAccount shop/web"),
        (ask(WEB, "list", "nodes", ""), None, "ClusterRoleBindings for ServiceAccount shop/web"),
        (ask(JOB, "list", "pods"), None, "Role shop/gone, which RoleBinding shop/d gives to ServiceAccount shop/job"),
        (ApiRequest("root", ("system:masters",), "delete", "", "nodes"), True, None),
    ],
)
def test_an_open_world_says_what_is_missing(request_: ApiRequest, allowed: bool | None, missing: str | None) -> None:
    """Nothing grants: denied where the input holds a binding of the user for that place, unknown elsewhere."""
    decision = permissions_of(objects_of(READER), closed=False).decide(request_)
    assert decision.allowed is allowed
    assert (missing is None and not decision.missing) or (missing and decision.missing[0].startswith(missing))


def test_the_order_of_the_input_does_not_matter() -> None:
    """Cluster-wide bindings go before others, what was written before what every cluster has, then names decide."""
    example = {
        "clusterroles": {"r": {"rules": [{"nonResourceURLs": ["*"], "verbs": ["*"]}]}},
        "crb": {name: {"role": "ClusterRole/r", "to": ["user:ann"]} for name in ("zz", "aa", "mm")},
    }
    objects = objects_of(example)
    said = {
        permissions_of(order).decide(ApiRequest("ann", groups_of("ann"), "get", path="/api")).said for order in (objects, objects[::-1])
    }
    assert said == {'RBAC: allowed by ClusterRoleBinding "aa" of ClusterRole "r" to User "ann"'}


# ---- near misses and fixes ----


@pytest.mark.parametrize(
    ("rule", "request_", "fields", "hint"),
    [
        ({"verbs": ["get"]}, ask(WEB, "list", "pods"), ("verbs",), None),
        ({"verbs": ["LIST"]}, ask(WEB, "list", "pods"), ("verbs",), "compared by case"),
        ({"resources": ["Pod"]}, ask(WEB, "list", "pods"), ("resources",), "plural and in lower case"),
        ({"resources": ["po"]}, ask(WEB, "list", "pods"), ("resources",), "`pods`, not `po`"),
        ({"resources": ["pods/*"]}, ask(WEB, "list", "pods/log"), ("resources",), "is no pattern"),
        ({"resources": ["pods"]}, ask(WEB, "list", "pods/log"), ("resources",), "a resource of its own"),
        ({"resources": ["*/scale"]}, ask(WEB, "list", "pods/log"), ("resources",), "one subresource of every resource"),
        ({"apiGroups": ["v1"]}, ask(WEB, "list", "pods"), ("apiGroups",), 'written `""`'),
        (
            {"apiGroups": ["apps/v1"], "resources": ["deployments"]},
            ask(WEB, "list", "deployments", group="apps"),
            ("apiGroups",),
            "without its version",
        ),
        ({"resourceNames": ["a"]}, ask(WEB, "list", "pods"), ("resourceNames",), "field selector"),
        ({"resourceNames": ["a*"], "verbs": ["get"]}, ask(WEB, "get", "pods", name="a1"), ("resourceNames",), "literal"),
        ({}, ask(WEB, "list", "pods", "data"), ("scope",), None),
        ({}, ask(WEB, "list", "pods", ""), ("scope",), None),
        ({}, ask(DEV, "list", "pods"), ("subject",), "is service account shop/web; the caller is dev/web"),
    ],
)
def test_near_misses_name_the_field(rule: dict[str, Any], request_: ApiRequest, fields: tuple[str, ...], hint: str | None) -> None:
    """The nearest miss, the fields that fail, and why; and each fix that is offered works."""
    whole = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"], **rule}
    permissions = permissions_of(objects_of({**READER, "roles": {"shop/r": [whole]}}))
    decision = permissions.decide(request_)
    misses = near_misses(permissions, request_)
    assert misses[0].fields == fields
    assert hint is None or hint in " ".join(misses[0].hints)
    fixes = rbac_fixes(permissions, request_, decision, misses)
    assert fixes
    assert not fixes[0].also_opens


def test_the_smallest_change_of_a_role_comes_first() -> None:
    """One verb for one subject and one resource: the rule itself, not a new role."""
    permissions, request = permissions_of(objects_of(READER)), ask(WEB, "watch", "pods")
    fixes = rbac_fixes(permissions, request, permissions.decide(request), near_misses(permissions, request))
    assert [fix.description for fix in fixes][:2] == [
        "add `watch` to rules[0].verbs of Role shop/r",
        "a Role for this alone, and its binding",
    ]
    assert fixes[0].patches[0][1] == ({"op": "add", "path": "/rules/0/verbs/-", "value": "watch"},)


@pytest.mark.parametrize(
    "request_",
    [
        ask(WEB, "delete", "secrets", name="tls"),
        ask(WEB, "list", "nodes", ""),
        ask(JOB, "create", "deployments/scale", group="apps", name="yes"),
        ask("ann@example.com", "list", "pods"),
        ApiRequest("ann", groups_of("ann"), "get", path="/metrics"),
    ],
)
def test_offered_manifests_grant_the_request_when_they_are_applied(request_: ApiRequest) -> None:
    """As YAML, read again, accepted by the API server's rules, and enough."""
    permissions = permissions_of(objects_of(READER))
    fixes = rbac_fixes(permissions, request_, permissions.decide(request_), near_misses(permissions, request_))
    reading = Reading()
    reading.add_values("example", objects_of(READER))
    reading.add_text("fix", yaml_of(next(fix for fix in fixes if fix.objects).objects))
    objects = collect_rbac(reading.documents)
    assert not objects.refused
    assert Permissions(objects, closed=True).decide(request_).allowed


def test_nobody_offers_rights_to_the_anonymous() -> None:
    """Whoever sends no token needs a token, not a role."""
    request = ApiRequest(ANONYMOUS, (UNAUTHENTICATED,), "list", "", "pods", "", "", "shop")
    permissions = permissions_of([])
    assert rbac_fixes(permissions, request, permissions.decide(request), near_misses(permissions, request)) == []


def test_who_can_lists_each_subject_once() -> None:
    """With the binding; masters need none; bindings of other namespaces do not count."""
    permissions = permissions_of(objects_of(READER))
    found = {item.subject.words: item.binding and item.binding.meta.name for item in who_can(permissions, ask("", "list", "pods"))}
    assert found["ServiceAccount shop/web"] == "b"
    assert found["Group system:masters"] is None
    assert "ServiceAccount shop/web" not in {item.subject.words for item in who_can(permissions, ask("", "list", "pods", "data"))}


# ---- requests ----


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("GET /api/v1/pods", ("list", "", "pods", "", "", "")),
        ("GET /api/v1/watch/namespaces/shop/pods/x", ("watch", "", "pods", "", "x", "shop")),
        ("GET /api/v1/namespaces/shop", ("get", "", "namespaces", "", "shop", "shop")),
        ("PUT /api/v1/namespaces/shop/finalize", ("update", "", "namespaces", "finalize", "shop", "shop")),
        ("GET /api/v1/namespaces", ("list", "", "namespaces", "", "", "")),
        ("DELETE /apis/apps/v1/namespaces/shop/deployments", ("deletecollection", "apps", "deployments", "", "", "shop")),
        ("PATCH /apis/apps/v1/namespaces/shop/deployments/x/scale", ("patch", "apps", "deployments", "scale", "x", "shop")),
        ("HEAD /api/v1/nodes/n", ("get", "", "nodes", "", "n", "")),
        ("GET https://10.96.0.1:443/api/v1/nodes?watch=1", ("watch", "", "nodes", "", "", "")),
    ],
)
def test_requests_are_read_from_urls(line: str, wanted: tuple[str, ...]) -> None:
    """Verb, group, resource, subresource, name, namespace."""
    request = request_of("u", (), *line.split(" "))
    assert (request.verb, request.group, request.resource, request.subresource, request.name, request.namespace) == wanted


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/apis/apps/v1", "/healthz/etcd", "/api/v1?x=1"])
def test_other_paths_are_no_resources(path: str) -> None:
    """They keep the method as their verb."""
    request = request_of("u", (), "GET", path)
    assert (request.verb, request.path) == ("get", path.partition("?")[0])


def test_impersonation_needs_a_right_for_each_header() -> None:
    """Users, or service accounts in their namespace; groups; user extras as a subresource; uids."""
    checks = impersonation("bob", (), "alice", ["devs"], uid="1", extra={"scopes": ["a"]})
    assert [(c.group, c.full_resource, c.name, c.namespace) for c in checks] == [
        ("", "users", "alice", ""),
        ("", "groups", "devs", ""),
        ("authentication.k8s.io", "userextras/scopes", "a", ""),
        ("authentication.k8s.io", "uids", "1", ""),
    ]
    (account,) = impersonation("bob", (), WEB)
    assert (account.resource, account.name, account.namespace) == ("serviceaccounts", "web", "shop")
    assert impersonated_groups("alice", ("devs",)) == ("devs", "system:authenticated")
    assert impersonated_groups(WEB, ()) == groups_of(WEB)


@pytest.mark.parametrize(
    "text",
    [
        "RBAC: access denied",
        'pods "x" is forbidden: violates PodSecurity "restricted:latest"',
        "admission webhook denied the request",
        'forbidden: User "x"',
        "",
    ],
)
def test_other_refusals_are_not_taken_for_the_authorizer_s(text: str) -> None:
    """Only `User "…" cannot` is about authorization."""
    assert refused(text) is None


def test_messages_escape_what_html_would_take() -> None:
    """As the API server does, in its own words only."""
    request = ApiRequest('a"<b>&', (), "get", path="/x")
    assert forbidden(request, "RBAC: <>") == 'forbidden: User "a\\"&lt;b&gt;&amp;" cannot get path "/x": RBAC: <>'
    assert refused(forbidden(request), ()) == request
