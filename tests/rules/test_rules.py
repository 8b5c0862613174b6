"""Each rule on its examples: what it finds, where, and when it stays silent."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from meshcheck.cli.lint import evidence_of
from meshcheck.cli.world import build_world
from meshcheck.lint import registry
from meshcheck.lint.evidence import reference
from meshcheck.lint.project import lint
from meshcheck.lint.rule import HEADINGS, Rule
from meshcheck.lint.settings import Settings
from meshcheck.load.read import Reading
from meshcheck.load.split import split
from meshcheck.model.coverage import Coverage
from meshcheck.model.finding import Finding
from meshcheck.patch.changes import Change, edit
from meshcheck.semantics.world import World

HERE = Path(__file__).parent
RULES = {rule.code: rule for rule in registry.rules()}
BAD = sorted(HERE.glob("MC*/bad*.yaml"))
GOOD = sorted(HERE.glob("MC*/good*.yaml"))
_MARK = re.compile(r"# ← (MC\d{3}(?:,? MC\d{3})*)\s*$")
_MESH = re.compile(r"# mesh-config: (.*)")
_COVERAGE = re.compile(r"# cluster: (\{.*?\}) *(?:# ←.*)?\n")
FEW_DOCUMENTS = ("absence", "documents")


def _before(code: str) -> World | None:
    """The state before, of rules that need one."""
    path = HERE / code / "before.yaml"
    if not path.exists():
        return None
    reading = Reading(exact=True)
    reading.add_text("before.yaml", path.read_text(encoding="utf-8"))
    return build_world(reading, closed=True)


def _found(text: str, code: str, closed: bool = True) -> list[int]:
    """Lines at which a rule finds something in a text."""
    return [finding.place.line if finding.place else 1 for finding in findings(text, code, closed)[0]]


def findings(text: str, code: str, closed: bool = True) -> tuple[list[Finding], Reading]:
    """What a rule finds in a text."""
    reading = Reading(exact=True)
    reading.add_text("example.yaml", text)
    mesh, coverage = _MESH.match(text), _COVERAGE.match(text)
    reading.coverage = Coverage.from_json(json.loads(coverage[1])) if coverage else None
    world = build_world(reading, closed=closed, mesh_text=mesh[1] if mesh else None)
    settings = Settings(select=() if RULES[code].reviews else (code,), pedantic=True)
    evidence = evidence_of(reading, world)
    evidence.before = _before(code)
    found = lint(evidence, tuple(RULES.values()), settings, reading.span, reading.texts()).findings
    return [finding for finding in found if finding.code == code], reading


def _marked(text: str, code: str) -> list[int]:
    """Lines that say that the rule finds something there."""
    return [n for n, line in enumerate(text.splitlines(), 1) if (mark := _MARK.search(line)) and code in mark[1]]


@pytest.mark.parametrize("path", BAD, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_bad_example_is_found_at_its_line(path: Path) -> None:
    """The rule finds what is marked, all of it and nothing else."""
    text, code = path.read_text(encoding="utf-8"), path.parent.name
    marked = _marked(text, code)
    assert marked, f"no line of {path.name} ends in `# ← {code}`"
    assert sorted(set(_found(text, code))) == marked


@pytest.mark.parametrize("path", BAD, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_fix_that_is_offered_mends_what_was_found(path: Path) -> None:
    """Each fix can be written into the text, and the finding is not there any more."""
    text, code = path.read_text(encoding="utf-8"), path.parent.name
    found, reading = findings(text, code)
    origins = {reference(d.value): d.origin for d in reading.documents}
    for finding in found:
        if finding.fix is not None and finding.fix.patches:
            changes = [Change(ref, origins[ref], tuple(steps)) for ref, steps in finding.fix.patches]
            edits = edit(changes, {"example.yaml": text})
            assert not edits.not_done, edits.not_done[0].reason
            left = [f.message for f in findings(edits.texts["example.yaml"], code)[0]]
            assert left.count(finding.message) < [f.message for f in found].count(finding.message), finding.fix.description


@pytest.mark.parametrize("path", GOOD, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_good_example_is_clean(path: Path) -> None:
    """The rule finds nothing."""
    assert _found(path.read_text(encoding="utf-8"), path.parent.name) == []


@pytest.mark.parametrize("path", [p for p in BAD if RULES[p.parent.name].needs == "absence"], ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_claim_of_absence_is_not_made_in_an_open_world(path: Path) -> None:
    """What is not in the input may exist."""
    assert _found(path.read_text(encoding="utf-8"), path.parent.name, closed=False) == []


@pytest.mark.parametrize("path", [p for p in BAD if RULES[p.parent.name].needs in FEW_DOCUMENTS], ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_lone_document_gives_no_finding(path: Path) -> None:
    """A rule that needs several documents says nothing about one of them in an open world."""
    text = path.read_text(encoding="utf-8")
    mesh = _MESH.match(text)
    for _, _, part in split(text):
        alone = f"{mesh[0]}\n{part}" if mesh else part
        assert _found(alone, path.parent.name, closed=False) == []


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda r: r.code)
def test_each_rule_has_its_page_and_its_examples(rule: Rule) -> None:
    """A page with all headings in their order, a file named like the rule, a bad and a good example."""
    assert [line[3:] for line in rule.page.splitlines() if line.startswith("## ")] == list(HEADINGS)
    assert rule.summary.endswith(".")
    assert registry.modules()[rule.code].rpartition(".")[2] == f"{rule.code.lower()}_{rule.name.replace('-', '_')}"
    for kind in ("bad", "good"):
        assert list(HERE.glob(f"{rule.code}/{kind}*.yaml")), f"tests/rules/{rule.code}/ has no {kind}*.yaml"
    assert bool(rule.kinds) == (rule.needs == "absence")
    assert (HERE / rule.code / "before.yaml").exists() == (rule.needs == "two-worlds")


def test_examples_are_of_rules_that_exist() -> None:
    """No folder of examples is left behind."""
    assert {path.name for path in HERE.glob("MC*")} == set(RULES)


def test_rules_about_changes_take_part_only_where_there_is_a_change() -> None:
    """Without a state before they are neither asked nor said to be silent."""
    reading = Reading(exact=True)
    reading.add_text("example.yaml", "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}")
    evidence = evidence_of(reading, build_world(reading, closed=True))
    changes = {code for code, rule in RULES.items() if rule.needs == "two-worlds"}
    alone = lint(evidence, tuple(RULES.values()), Settings(), reading.span)
    evidence.before = evidence.world
    compared = lint(evidence, tuple(RULES.values()), Settings(), reading.span)
    assert changes & {rule.code for rule in compared.rules} == changes != set()
    assert changes.isdisjoint({rule.code for rule in alone.rules})
    assert changes.isdisjoint((*alone.not_evaluated, *compared.not_evaluated))
