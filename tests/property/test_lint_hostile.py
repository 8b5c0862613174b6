"""Rules get along with whatever stands in a manifest: values of the wrong type, missing parts, texts that are no URLs."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshcheck.cli.world import build_world
from meshcheck.errors import MeshcheckError
from meshcheck.lint import registry
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.run import run
from meshcheck.load.read import Reading

EXAMPLES = sorted((Path(__file__).parent.parent / "rules").glob("MC*/*.yaml"))
RULES = registry.rules()
JUNK: list[Any] = [
    None, "", 0, -1, 70000, True, 1.5, [], {}, ["a", 1, None], {"a": {"b": 1}},
    "x" * 300, "*", "²", "http://[", "a/b/c/d/e", "*/ns/a/sa/b", "{*}{**}",
]  # fmt: skip
TRIES = 60


def _paths(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield at
    if isinstance(value, dict):
        for key in value:
            yield from _paths(value[key], (*at, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _paths(item, (*at, number))


def _documents(path: Path) -> list[Any]:
    """The objects of an example."""
    reading = Reading(exact=True)
    reading.add_text(path.name, path.read_text(encoding="utf-8"))
    return [copy.deepcopy(document.value) for document in reading.documents]


def _spoil(rng: random.Random, document: Any) -> None:
    """Put something else in a place of a document."""
    path = rng.choice([p for p in _paths(document) if p and p[0] not in ("apiVersion", "kind")])
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = copy.deepcopy(rng.choice(JUNK))


@pytest.mark.parametrize("seed", range(4))
def test_no_rule_stumbles_over_what_a_manifest_holds(seed: int) -> None:
    """Each rule ends, whatever is written."""
    rng = random.Random(seed)
    asked = 0
    for _ in range(TRIES):
        documents = _documents(rng.choice(EXAMPLES)) or [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}]
        for _ in range(rng.choice([1, 1, 2, 4])):
            _spoil(rng, rng.choice(documents))
        reading = Reading(exact=True)
        reading.add_text("spoilt.yaml", yaml.safe_dump_all(documents))
        try:
            world = build_world(reading, closed=rng.random() < 0.8)
        except MeshcheckError:  # mesh config that is none: the whole run would stop with these words
            continue
        before = world if rng.random() < 0.5 else None
        report = run(Evidence(world, reading.documents, reading.duplicate_keys, before=before), RULES, reading.span)
        assert all(finding.message for finding in report.findings)
        asked += 1
    assert asked > TRIES // 2, "hardly any world could be made: the test says nothing"
