"""Whatever looks at a request says so to a watcher: a new kind of matcher that keeps silent is found here."""

from __future__ import annotations

from typing import Any

import pytest

from meshcheck.model.istio_networking import HttpMatch, StringMatch
from meshcheck.model.istio_security import Field
from meshcheck.model.mesh_config import MeshConfig
from meshcheck.semantics import watching
from meshcheck.semantics.authorization import tests
from meshcheck.semantics.authorization.attributes import Attributes
from meshcheck.semantics.authorization.tests import compile_test
from meshcheck.semantics.routing.match import RouteRequest, first_failure

NOT_OF_THE_REQUEST = {"principals", "namespaces", "serviceAccounts", "trustDomains", "ports", "destination.ip"}
"""What a caller and a target bring along, whatever the request is."""
OTHERS = ["connection.sni", "request.headers[x-a]", "request.headers[:path]", "request.headers[:method]", "request.auth.claims[a][b]"]


class Listener:
    """Notes the names of all methods that are called."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self.told.append(name)


def listen(look: Any) -> list[str]:
    """What is told while something looks."""
    listener = Listener()
    with watching.watched(listener):
        look()
    return listener.told


def keys() -> list[str]:
    """Every field and `when` key that the module knows by name."""
    tables = (tests._HTTP_ONLY, tests._PEER, tests.WHEN, tests.WHEN.values(), tests._ADDRESSES)
    return sorted({name for table in tables for name in table} | {"methods", "hosts", "paths", *OTHERS})


@pytest.mark.parametrize("name", keys())
def test_fields_of_authorization_policies(name: str) -> None:
    """Each field that looks at the request tells what it compares."""
    values = ("10.0.0.0/8",) if "ip" in name.lower() and "principal" not in name.lower() else ("1",)
    test = compile_test(Field(name, values, False, ()), MeshConfig(), "ns")
    assert test is not None
    a = Attributes()
    a.payload, a.source_ip, a.remote_ip, a.destination_ip = {"iss": "x"}, "1.2.3.4", "1.2.3.4", "1.2.3.4"
    told = listen(lambda: test.holds(a))
    assert told or tests.WHEN.get(name, name) in NOT_OF_THE_REQUEST


@pytest.mark.parametrize(
    "field", [f for f in HttpMatch.__slots__ if f not in ("port", "gateways", "source_labels", "source_namespace", "field")]
)
def test_conditions_of_routes(field: str) -> None:
    """Each condition of a match block, except those that are settled when routes are made."""
    wanted = StringMatch("exact", "x", False)
    empty: dict[str, Any] = dict.fromkeys(("path", "method", "scheme", "authority"))
    empty |= {
        "headers": (),
        "without_headers": (),
        "query": (),
        "port": None,
        "gateways": (),
        "source_labels": {},
        "source_namespace": None,
    }
    given = (("x", wanted),) if field in ("headers", "without_headers", "query") else wanted
    match = HttpMatch(**{**empty, field: given}, field=())
    request = RouteRequest("GET", "/", "", "http", "a", {}, 80, "mesh", {}, None)
    assert listen(lambda: first_failure(match, request))


def test_a_claim_as_a_condition_of_a_route() -> None:
    """`@request.auth.claims` in place of a header."""
    wanted = (("@request.auth.claims.a", StringMatch("exact", "x", False)),)
    match = HttpMatch(None, None, None, None, wanted, (), (), None, (), {}, None, ())
    request = RouteRequest("GET", "/", "", "http", "a", {}, 80, "mesh", {}, None, {"a": "x"})
    assert listen(lambda: first_failure(match, request)) == ["claim"]
