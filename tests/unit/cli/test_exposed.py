"""`meshcheck graph --exposed`: every way in from outside, and what guards it."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from meshcheck.cli.main import main

SCENARIOS = Path(__file__).parents[3] / "manifests" / "scenarios"


def ways(scenario: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """The ways of a scenario's world, checked against the schema."""
    assert main(["graph", "--exposed", "--closed-world", "-o", "json", "-f", str(SCENARIOS / scenario / "manifests.yaml")]) == 0
    answer = json.loads(capsys.readouterr().out)
    schema = json.loads(files("meshcheck").joinpath("data", "schemas", "exposed.v1.json").read_text())
    jsonschema.validate(answer, schema)
    found: list[dict[str, object]] = answer["ways"]
    return found


@pytest.mark.parametrize(
    ("scenario", "wanted"),
    [
        ("token-stops-at-the-gateway", [("http://shop.example.com", "*", "denied", "403 RBAC: access denied")]),
        ("network-policy-forgets-the-gateway", [("http://shop.example.com", "*", "denied", None)]),
        (
            "exact-host-hides-wildcard",
            [("http://*.example.com", "*", "allowed", None), ("http://shop.example.com", "= /login", "allowed", None)],
        ),
        ("strict-behind-a-foreign-gateway", [("http://*", "*", "denied", None)]),
        ("list-of-addresses", [("http://shop.example.com", "*", "unknown", None)]),
        ("routes-of-one-namespace", []),
        ("default-deny", []),
    ],
)
def test_ways(scenario: str, wanted: list[tuple[str, str, str, str | None]], capsys: pytest.CaptureFixture[str]) -> None:
    """Each path of each host is asked about without credentials."""
    found = ways(scenario, capsys)
    assert [(w["address"], w["path"], w["without_credentials"]) for w in found] == [row[:3] for row in wanted]
    assert all(reason is None or way["reason"] == reason for way, (*_, reason) in zip(found, wanted, strict=True))


def test_guards_are_those_that_look_at_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    """Tokens at the gateway, tokens and authorization at the workload."""
    (way,) = ways("token-stops-at-the-gateway", capsys)
    assert [guard["policy"] for guard in way["guards"]] == [  # type: ignore[attr-defined,index]
        "RequestAuthentication istio-system/idp",
        "RequestAuthentication shop/idp",
        "AuthorizationPolicy shop/need-token",
    ]


def test_text_says_when_there_is_no_way_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "--exposed", "-f", str(SCENARIOS / "default-deny" / "manifests.yaml")]) == 0
    assert capsys.readouterr().out.startswith("no way in")


def test_pictures_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "--exposed", "-o", "dot", "-f", str(SCENARIOS / "default-deny" / "manifests.yaml")]) == 2
    assert "text or json" in capsys.readouterr().err
