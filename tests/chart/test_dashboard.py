"""The dashboard: its queries are PromQL, and ask for metrics that exist, with labels that they have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest

from meshcheck.job.metrics import registry_of
from meshcheck.job.state import State
from meshcheck.model.record import replace
from meshcheck.model.report import Judged
from tests.chart.rendering import CHART, objects, rendered
from tests.unit.job.reports import finding, lint, questions, refused, report

DASHBOARD = json.loads((CHART / "files" / "dashboard.json").read_text())
FROM_SCRAPING = frozenset(["namespace", "pod", "container"])
"""Labels that a PodMonitor adds."""


def queries() -> list[str]:
    found = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    assert len(found) > 10
    return found


def exported() -> dict[str, set[str]]:
    """Name → labels of every metric, from a state in which there is one of each."""
    state = State(watched=True)
    for counter in (state.watches, state.events, state.interruptions, state.failed):
        counter["x"] = 1
    judged = replace(lint(), kind="test", name="who", judged=(Judged("a", "failed"),), counts=(("failed", 1),))
    state.finished(report(lint(finding(1)), questions(refused()), judged))
    found: dict[str, set[str]] = {}
    for family in registry_of(state, process=True).collect():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def selectors(node: Any) -> Iterator[Any]:
    """The vector selectors of a query."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        child = getattr(node, name, None)
        if child is not None:
            yield from selectors(child)
    for child in getattr(node, "args", None) or ():
        yield from selectors(child)


@pytest.mark.parametrize("query", queries())
def test_a_query_asks_for_what_there_is(query: str) -> None:
    known = exported()
    found = list(selectors(promql_parser.parse(query)))
    assert found, query
    for selector in found:
        assert selector.name in known
        assert {matcher.name for matcher in selector.matchers.matchers} <= known[selector.name] | FROM_SCRAPING


def test_the_check_would_see_a_metric_that_does_not_exist() -> None:
    (selector,) = selectors(promql_parser.parse('sum(rate(meshcheck_gone_total{a="b"}[5m])) by (x)'))
    assert selector.name == "meshcheck_gone_total"
    assert selector.name not in exported()
    assert len(list(selectors(promql_parser.parse("a / on (x) (b + max(c))")))) == 3


def test_panels_have_ids_of_their_own_and_a_place() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource", "namespace"}


def test_it_arrives_whole_in_its_config_map() -> None:
    (config,) = (item for item in objects(rendered("everything")) if item["metadata"]["name"] == "meshcheck-dashboard")
    assert json.loads(config["data"]["meshcheck.json"]) == DASHBOARD
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
