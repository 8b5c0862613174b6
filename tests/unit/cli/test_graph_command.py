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


def test_a_request_that_no_policy_names_is_one_that_envoy_reads(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Sidecars on both sides and no policy: the call is allowed, and not a 400 of a proxy that does not know the method."""
    documents = [part for part in Path(SHOP).read_text().split("---\n") if "kind: AuthorizationPolicy" not in part]
    (tmp_path / "shop.yaml").write_text("---\n".join(documents))
    assert main(["graph", "-f", str(tmp_path), "-o", "json"]) == 0
    (edge,) = json.loads(capsys.readouterr().out)["links"]
    assert (edge["verdict"], edge["symptom"]) == ("allowed", "")


def test_methods_that_rules_name_are_not_those_of_other_requests(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A rule that names what would be asked for otherwise does not make the edge wider."""
    (tmp_path / "shop.yaml").write_text(Path(SHOP).read_text().replace('"GET", "HEAD"', '"GET", "REPORT", "MER*"'))
    assert main(["graph", "-f", str(tmp_path), "-o", "json"]) == 0
    (edge,) = json.loads(capsys.readouterr().out)["links"]
    assert (edge["verdict"], edge["symptom"]) == ("some", "403")


def test_each_way_through_a_gateway_is_an_edge_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Hosts and paths of a gateway that lead to one workload do not hide each other."""
    assert main(["graph", "--closed-world", "-f", str(SCENARIOS / "exact-host-hides-wildcard" / "manifests.yaml"), "-o", "json"]) == 0
    links = json.loads(capsys.readouterr().out)["links"]
    inside = {(e["service"], *e["requests"]) for e in links if "://" in e["service"] and e["source"] != "outside"}
    outside = {(e["service"], *e["requests"]) for e in links if e["source"] == "outside"}
    assert outside
    assert inside <= outside
    assert main(["graph", "--closed-world", "-f", str(SCENARIOS / "exact-host-hides-wildcard" / "manifests.yaml")]) == 0
    assert ":0 " not in capsys.readouterr().out


def test_pictures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "graph.xml").write_text(said(capsys, "-o", "graphml"))
    assert nx.read_graphml(tmp_path / "graph.xml").number_of_edges() == 1
    assert '"shop/frontend" -> "shop/cart"' in said(capsys, "-o", "dot")
    assert said(capsys, "-o", "mermaid").startswith("flowchart LR\n")


def test_focus_group_and_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert "◐ cart:80" in said(capsys)
    assert "shop/cart" in said(capsys, "--focus", "shop/cart")
    assert "◐ 1 call " in said(capsys, "--group", "namespace")
    assert main(["graph", "-f", SHOP, "--focus", "nobody"]) == 2
    assert "no such namespace" in capsys.readouterr().err


def test_mermaid_names_nothing_that_would_break_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "-o", "mermaid").splitlines()
    arrows = [line for line in lines if "-->" in line or "-.->" in line]
    assert len(arrows) == 1
    assert "cart:80" in arrows[0]
