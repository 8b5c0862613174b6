"""Where the connection fails, a call like it that gets through is named; where a policy refuses, none is."""

from __future__ import annotations

import io
import json
import sys

import pytest

from meshcheck.cli.main import main
from tests.support.manifests import app, space, thing

WORLD = "---\n".join(
    [
        space("shop"),
        app("shop", "web"),
        app("shop", "cart"),
        thing("security.istio.io/v1", "PeerAuthentication", "shop", "strict", "{mtls: {mode: STRICT}}"),
        thing(
            "security.istio.io/v1",
            "AuthorizationPolicy",
            "shop",
            "readers",
            "{selector: {matchLabels: {app: cart}},"
            " rules: [{from: [{source: {namespaces: [shop]}}], to: [{operation: {methods: [GET]}}]}]}",
        ),
    ]
)


@pytest.mark.parametrize(
    ("target", "instead"),
    [
        ("http://cart.shop:8080/items", "GET http://cart.shop/items"),
        ("https://cart/items", "GET http://cart/items"),
        ("https://cart.shop:80/items", "GET http://cart.shop/items"),
        ("pod/shop/cart:8080", "GET http://cart.shop/"),
    ],
)
def test_a_call_that_gets_through_is_named(
    target: str, instead: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the last cause, and says that it was checked."""
    causes = _causes(capsys, monkeypatch, "--to", target)
    assert causes[-1] == f"the way the caller asks: {instead} gets through as things are (checked)"


@pytest.mark.parametrize("words", [("http://cart.shop/items", "-X", "DELETE"), ("http://cart.shop:8080/items", "-X", "DELETE")])
def test_no_way_around_a_policy(words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the policy refuses there too is no advice."""
    causes = _causes(capsys, monkeypatch, "--to", *words)
    assert causes
    assert not any("the way the caller asks" in cause for cause in causes)


def _causes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WORLD.encode())))
    status = main(["trace", "-f", "-", "--from", "shop/web", "-o", "json", *words])
    assert status == 1
    return [cause["message"] for cause in json.loads(capsys.readouterr().out)["causes"]]
