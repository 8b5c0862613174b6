"""`meshcheck graph`: the same calls in five languages."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import pytest

from meshcheck.cli.main import main

SCENARIOS = Path(__file__).resolve().parents[3] / "manifests" / "scenarios"
SHOP = str(SCENARIOS / "method-not-allowed" / "manifests.yaml")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["graph", "-f", SHOP, *words]) == 0
    return capsys.readouterr().out


def test_json_is_a_node_link_graph(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(said(capsys, "-o", "json"))
    assert data.pop("schema") == "meshcheck/graph/v1"
    graph = nx.node_link_graph(data, edges="links")
    edge = graph.edges["shop/frontend", "shop/cart", "cart:80"]
    assert edge["verdict"] == "some"
    assert edge["requests"] == ["GET, HEAD *"]
    assert edge["policies"] == ["AuthorizationPolicy shop/cart-viewer"]


def test_pictures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "graph.xml").write_text(said(capsys, "-o", "graphml"))
    assert nx.read_graphml(tmp_path / "graph.xml").number_of_edges() == 1
    assert '"shop/frontend" -> "shop/cart"' in said(capsys, "-o", "dot")
    assert said(capsys, "-o", "mermaid").startswith("flowchart LR\n")


def test_focus_group_and_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert "◐ cart:80" in said(capsys)
    assert "shop/cart" in said(capsys, "--focus", "shop/cart")
    assert "◐ 1 calls" in said(capsys, "--group", "namespace")
    assert main(["graph", "-f", SHOP, "--focus", "nobody"]) == 2
    assert "no such namespace" in capsys.readouterr().err


def test_mermaid_names_nothing_that_would_break_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "-o", "mermaid").splitlines()
    arrows = [line for line in lines if "-->" in line or "-.->" in line]
    assert len(arrows) == 1
    assert "cart:80" in arrows[0]
