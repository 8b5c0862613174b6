"""What Envoy makes of headers, query parameters, methods and redirects before and in its routes. Each answer is one of istiod and Envoy 1.40.

A case is (name, a match block or a redirect of the only route, question, status or what is seen).
"""

# ruff: noqa: E501  tables of manifests
from __future__ import annotations

from typing import Any

import pytest

from tests.support.manifests import thing
from tests.unit.semantics.entry.test_ways_in import BASE, NET, check, routes, to

Json = dict[str, Any]
U = "http://shop.example.com/"
MATCHES: list[tuple[str, str, Json, bool]] = [
    ("lines are compared one by one", "{headers: {x: {exact: b}}}", to(headers={"x": ["a", "b"]}), True),
    ("and never as one text", "{headers: {x: {exact: 'a,b'}}}", to(headers={"x": ["a", "b"]}), False),
    ("each line must not match", "{withoutHeaders: {x: {exact: b}}}", to(headers={"x": ["a", "b"]}), False),
    ("some headers are one value", "{headers: {accept: {exact: 'a,b'}}}", to(headers={"accept": ["a", "b"]}), True),
    ("and have no lines", "{headers: {user-agent: {exact: b}}}", to(headers={"user-agent": ["a", "b"]}), False),
    ("cookies have lines", "{headers: {cookie: {exact: 'b=2'}}}", to(headers={"cookie": ["a=1", "b=2"]}), True),
    ("the peer stands in X-Forwarded-For", "{headers: {x-forwarded-for: {exact: '9.9.9.9,203.0.113.9'}}}", to(headers={"x-forwarded-for": ["9.9.9.9"]}), True),
    ("X-Forwarded-Proto is the gateway's", "{headers: {x-forwarded-proto: {exact: https}}}", to(headers={"x-forwarded-proto": ["https"]}), False),
    ("and always there", "{headers: {x-forwarded-proto: {exact: http}}}", to(), True),
    ("x-request-id is the gateway's", "{headers: {x-request-id: {exact: abc}}}", to(headers={"x-request-id": ["abc"]}), False),
    ("Envoy's own headers are taken out", "{headers: {x-envoy-retry-on: {}}}", to(headers={"x-envoy-retry-on": ["5xx"]}), False),
    ("others of the name are not", "{headers: {x-envoy-custom: {}}}", to(headers={"x-envoy-custom": ["a"]}), True),
    ("so are those of the connection", "{headers: {connection: {}}}", to(headers={"connection": ["close"]}), False),
    ("and certificates of clients", "{headers: {x-forwarded-client-cert: {}}}", to(headers={"x-forwarded-client-cert": ["a"]}), False),
    ("the client's address has a header", "{headers: {x-envoy-external-address: {exact: 203.0.113.9}}}", to(), True),
    ("Host is a header", "{headers: {host: {exact: shop.example.com}}}", to(), True),
    ("the path is one, with its query", "{headers: {':path': {exact: '/a?b'}}}", to(U + "a?b"), True),
    ("queries are not decoded", "{queryParams: {k: {exact: 'a b'}}}", to(U + "?k=a%20b"), False),
    ("nor are their plus signs", "{queryParams: {k: {exact: 'a+b'}}}", to(U + "?k=a+b"), True),
    ("nor their names", "{queryParams: {k: {exact: '1'}}}", to(U + "?%6b=1"), False),
    ("the first of two counts", "{queryParams: {k: {exact: '1'}}}", to(U + "?k=1&k=2"), True),
]  # fmt: skip


@pytest.mark.parametrize(("match", "question", "taken"), [c[1:] for c in MATCHES], ids=[c[0] for c in MATCHES])
def test_matches(match: str, question: Json, taken: bool) -> None:
    """The route takes the call, or there is none for it."""
    route = f"{{match: [{match}], route: [{{destination: {{host: web, port: {{number: 80}}}}}}]}}"
    check([*BASE, routes(route)], question, "allowed" if taken else "denied", "" if taken else "404")


@pytest.mark.parametrize(("method", "status"), [("get", "400"), ("FOO", "400"), ("M-SEARCH", "400"), ("PROPFIND", ""), ("PURGE", "")])
def test_methods(method: str, status: str) -> None:
    """Envoy reads known methods in capital letters."""
    anything = "{route: [{destination: {host: web, port: {number: 80}}}]}"
    check([*BASE, routes(anything)], to(method=method), "denied" if status else "allowed", status)


@pytest.mark.parametrize(
    ("uri", "location"), [("new", f"{U}new"), ("https://z.example/x", f"{U}https://z.example/x"), ("/a?b=1", f"{U}a?b=1")]
)
def test_redirects(uri: str, location: str) -> None:
    """What a redirect names is a path, whatever it looks like."""
    check([*BASE, routes(f"{{redirect: {{uri: '{uri}'}}}}")], to(), "allowed", location)


@pytest.mark.parametrize("part", ["{headers: {x: {exact: a}}}", "{withoutHeaders: {x: {}}}", "{port: 80}", "{method: {exact: GET}}"])
def test_a_delegate_says_itself_that_case_does_not_matter(part: str) -> None:
    """A delegate without a path of its own is in conflict with a root that ignores the case of paths, and is dropped."""
    root = "{match: [{uri: {prefix: /a}, ignoreUriCase: true}], delegate: {name: part}}"
    child = thing(NET, "VirtualService", "shop", "part", f"{{http: [{{match: [{part}], route: [{{destination: {{host: web}}}}]}}]}}")
    check([*BASE, child, routes(root)], to(U + "a", headers={"x": ["a"]}), "denied", "404")
