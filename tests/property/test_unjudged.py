"""A rule of lint that falls silent because something was not read says so: silence there is no `passed`.

Each bad example of each rule, with each kind made unknown, wholly and in each of its namespaces. Whatever is found no more must be told as
not judged, for want of that kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meshcheck.cli.lint import evidence_of
from meshcheck.cli.world import build_world
from meshcheck.decode.registry import bucket_of
from meshcheck.lint import registry
from meshcheck.lint.run import Report, run
from meshcheck.load.read import Document, Reading
from meshcheck.model.cluster_kinds import CALL, MESH_CONFIG, kinds_for
from meshcheck.model.coverage import Coverage, Gap
from meshcheck.model.finding import Finding
from meshcheck.model.record import replace
from tests.rules.test_rules import _MESH, BAD

RULES = {rule.code: rule for rule in registry.rules()}
HEADINGS = frozenset((*(kind.heading for kind in kinds_for(CALL) if kind.heading), MESH_CONFIG))
EXAMPLES = [path for path in BAD if RULES[path.parent.name].needs not in ("live", "two-worlds") and not RULES[path.parent.name].reviews]


def _linted(path: Path, documents: list[Document], *gaps: Gap) -> Report:
    """What the rule of an example finds in documents that a cluster has let be read, and what it says it could not judge."""
    mesh = _MESH.match(path.read_text(encoding="utf-8"))
    reading = Reading()
    reading.documents, reading.coverage = documents, Coverage(HEADINGS, gaps)
    world = build_world(reading, mesh_text=mesh[1] if mesh else None)
    return run(evidence_of(reading, world), [RULES[path.parent.name]], lambda *_: None)


def _documents(path: Path) -> list[Document]:
    reading = Reading()
    reading.add_text("example.yaml", path.read_text(encoding="utf-8"))
    return [replace(document, accepted=True) for document in reading.documents]


def _heading(document: Document) -> str:
    return bucket_of(document.value["apiVersion"], document.value["kind"])


def _namespace(document: Document) -> str | None:
    namespaced = any(kind.kind == document.value["kind"] and kind.namespaced for kind in kinds_for(CALL))
    return document.value["metadata"].get("namespace", "default") if namespaced else None


def _without(documents: list[Document]) -> Iterator[tuple[str, list[Document], tuple[Gap, ...]]]:
    """The documents without those of a kind, of all namespaces and of each that has some."""
    for heading in sorted({_heading(d) for d in documents} & HEADINGS):
        own = [d for d in documents if _heading(d) == heading]
        for namespace in (None, *sorted({n for d in own if (n := _namespace(d))})):
            kept = [d for d in documents if _heading(d) != heading or namespace not in (None, _namespace(d))]
            yield heading, kept, _gaps(heading, namespace)


def _gaps(heading: str, namespace: str | None) -> tuple[Gap, ...]:
    reason = "could not be listed: forbidden"
    mesh = (Gap("ConfigMap", MESH_CONFIG, namespace, reason),) if heading == "ConfigMap" and namespace in (None, "istio-system") else ()
    return (Gap(heading, heading, namespace, reason), *mesh)


def _key(finding: Finding) -> tuple[object, ...]:
    return finding.code, finding.object, finding.field, finding.severity


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_rule_that_falls_silent_says_why(path: Path) -> None:
    code, documents = path.parent.name, _documents(path)
    whole = _linted(path, documents)
    assert not whole.unjudged
    before = {_key(f) for f in whole.findings}
    for heading, kept, gaps in _without(documents):
        less = _linted(path, kept, *gaps)
        if before - {_key(f) for f in less.findings}:
            assert {gap.heading for gap in less.unjudged.get(code, ())} & {gap.heading for gap in gaps}, (heading, gaps[0].namespace)


def test_the_check_is_not_empty() -> None:
    """There are findings that a gap takes away."""
    path = next(path for path in EXAMPLES if path.parent.name == "MC112")
    documents = _documents(path)
    silent = [_linted(path, kept, *gaps) for heading, kept, gaps in _without(documents) if heading == "AuthorizationPolicy"]
    assert len(_linted(path, documents).findings) > 0
    assert any(not report.findings and report.unjudged for report in silent)
