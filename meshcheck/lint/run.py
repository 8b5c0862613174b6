"""Runs rules over the evidence, and says which ones could not speak."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from meshcheck.decode.admission import Problem, problems
from meshcheck.decode.collect import Document, is_decoded
from meshcheck.lint.evidence import Evidence, reference
from meshcheck.lint.rule import Found, Rule
from meshcheck.lint.unjudged import gaps_in, needed_by
from meshcheck.model.coverage import Gap
from meshcheck.model.finding import Finding, Related
from meshcheck.model.objects import Origin, Path, Place, Span
from meshcheck.model.record import replace, value
from meshcheck.model.trace import Fix
from meshcheck.semantics.world.reads import Looked

Locate = Callable[[Origin | None, Path], Span | None]
"""From an object's origin and a field to its place in the text."""


@value
class Report:
    """All findings in the order of files and lines, and what was not looked at."""

    findings: tuple[Finding, ...]
    not_evaluated: tuple[str, ...]
    """Codes of rules whose claim needs evidence that is not there."""
    unjudged: Mapping[str, tuple[Gap, ...]]
    """Code → what it looked at and a cluster did not let be read."""


Judged = tuple[list[Finding], frozenset[Looked]]
"""What a rule found, and what it looked at."""
Recall = Callable[[str, Callable[[], tuple[frozenset[Looked], Judged]]], Judged]
"""From a rule's code and what judges it to what it found, now or before: whoever keeps it knows what it rests on."""


def run(
    evidence: Evidence, rules: Iterable[Rule], locate: Locate, every: Iterable[Rule] | None = None, recall: Recall | None = None
) -> Report:
    """Findings of some rules. `every`: all rules there are, so that a refusal whose own rule is switched off is not given to another."""
    chosen, coverage = tuple(rules), evidence.world.coverage
    silent = tuple(rule.code for rule in chosen if not may_speak(rule, evidence))
    claiming = tuple(rule for rule in (chosen if every is None else every) if rule.claims)
    codes = frozenset(rule.code for rule in chosen)
    findings = [finding for finding in _refusals(evidence, claiming, locate) if finding.code in codes]
    unjudged: dict[str, tuple[Gap, ...]] = {}
    for rule in chosen:
        looked = set(needed_by(rule))
        if rule.check is not None and rule.code not in silent:
            judging = partial(_judged, rule, evidence, locate)
            found, frame = recall(rule.code, judging) if recall is not None else judging()[1]
            findings += found
            looked |= frame
        if coverage is not None and rule.needs not in ("live", "two-worlds") and (gaps := gaps_in(coverage, looked)):
            unjudged[rule.code] = gaps
    return Report(in_order(findings), silent, unjudged)


def _judged(rule: Rule, evidence: Evidence, locate: Locate) -> tuple[frozenset[Looked], Judged]:
    assert rule.check is not None
    with evidence.looking() as looked:
        found = [finding_of(rule, item, locate) for item in rule.check(evidence)]
    frame = frozenset(looked)
    return frame, (found, frame)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in the order of files (as they are met first) and lines; those without a place first."""
    listed = list(findings)
    files = {name: number for number, name in enumerate(dict.fromkeys(f.place.file for f in listed if f.place))}
    return tuple(
        sorted(listed, key=lambda f: (files[f.place.file], f.place.line, f.place.column, f.code) if f.place else (-1, 0, 0, f.code))
    )


def may_speak(rule: Rule, evidence: Evidence) -> bool:
    """Whether the evidence that a rule's claim needs is there."""
    if rule.needs == "absence":
        return evidence.world.complete(*rule.kinds)
    if rule.needs == "live":
        return evidence.world.inventory.coverage is not None
    if rule.needs == "two-worlds":
        return evidence.before is not None
    return rule.needs in ("document", "documents")


def finding_of(rule: Rule, item: Found, locate: Locate) -> Finding:
    """What a rule found, with its place."""
    span = locate(item.origin, item.field)
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=item.severity or rule.severity,
        message=item.message,
        object=item.object,
        field=item.field,
        place=item.place or (span and span.start),
        end_column=span.end_column if span and not item.place else None,
        confidence=item.confidence or rule.confidence,
        related=tuple(Related(words, _start(locate(origin, path))) for words, origin, path in item.related),
        audience=rule.audience,
        fix=_placed(item),
        refused_by=item.refused_by,
    )


def _placed(item: Found) -> Fix | None:
    """The fix, with where the object that it changes was read: that of the finding, where the rule does not say."""
    fix = item.fix
    if fix is None or fix.origins:
        return fix
    return replace(fix, origins=tuple(item.origin if ref == item.object else None for ref, _ in fix.patches))


def _start(span: Span | None) -> Place | None:
    return span.start if span else None


def _refusals(evidence: Evidence, claiming: Sequence[Rule], locate: Locate) -> Iterable[Finding]:
    """What a cluster refuses or drops, under the first rule that claims it."""
    for document, problem in _problems(evidence):
        rule = _claimed(claiming, document.value["kind"], problem)
        if rule is not None:
            ref = reference(document.value)
            yield finding_of(rule, Found(problem.message, ref, document.origin, problem.path, refused_by=problem.refused_by), locate)


def _problems(evidence: Evidence) -> Iterable[tuple[Document, Problem]]:
    """What a cluster says against each document. Of kinds that were decoded that is known already."""
    told: dict[Origin | None, list[Problem]] = {}
    inventory = evidence.world.inventory
    for refused in inventory.refused:
        if refused.refused_by is not None:
            told.setdefault(refused.origin, []).append(Problem(refused.path, refused.message, refused.refused_by))
    for noted in inventory.noted:
        told.setdefault(noted.origin, []).append(Problem(noted.path, noted.message, None))
    for document in evidence.documents:
        decoded = is_decoded(document.value)
        for problem in told.get(document.origin, ()) if decoded else problems(document.value):
            if not (document.accepted and problem.refused_by == "api-server"):
                yield document, problem


def _claimed(claiming: Sequence[Rule], kind: str, problem: Problem) -> Rule | None:
    """The rule of a problem: one of its own if there is one, else the general one (MC101, MC956)."""
    own = (rule for rule in claiming if rule.code not in GENERAL and rule.claims is not None and rule.claims(kind, problem))
    rest = (rule for rule in claiming if rule.code in GENERAL and rule.claims is not None and rule.claims(kind, problem))
    return next(own, None) or next(rest, None)


GENERAL = frozenset(["MC101", "MC956"])
"""Rules that claim every refusal and every dropped field."""
