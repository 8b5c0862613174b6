"""What a run of lint says nothing about, because a cluster did not let it be read. A rule that finds nothing there has not passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from meshcheck.decode.admission.kinds import KINDS
from meshcheck.decode.registry import bucket_of
from meshcheck.lint.rule import Rule
from meshcheck.model.cluster_kinds import MESH_CONFIG, cluster_kinds
from meshcheck.model.coverage import Coverage, Gap
from meshcheck.model.finding import SEVERITIES, Unjudged
from meshcheck.semantics.world.reads import Looked

Gaps = tuple[Gap, ...]
_READ = frozenset((*(kind.heading for kind in cluster_kinds() if kind.heading), MESH_CONFIG))


def gaps_in(coverage: Coverage, looked: Iterable[Looked]) -> Gaps:
    """The gaps among what was looked at. Kinds that are never read of a cluster, or by name only (Secrets), are none."""
    places = {(item.heading, item.namespace) for item in looked if item.heading in _READ}
    return tuple(dict.fromkeys(gap for place in sorted(places, key=str) for gap in coverage.lacking(*place)))


def needed_by(rule: Rule) -> Iterator[Looked]:
    """What a rule rests on whether it was run or not: kinds of which it claims an absence, and those of which a webhook refuses objects."""
    if rule.needs == "absence":
        yield from (Looked(kind) for kind in rule.kinds)
    if rule.claims is not None:  # what the API server itself refuses is not in it
        yield from (Looked(bucket_of(f"{group}/v1", name)) for (group, name), kind in KINDS.items() if kind.webhook)


def by_gap(unjudged: Mapping[str, Gaps]) -> tuple[Unjudged, ...]:
    """The missing facts, those that nobody chose first, each with the rules that need it."""
    codes: dict[Gap, list[str]] = {}
    for code, gaps in unjudged.items():
        for gap in gaps:
            codes.setdefault(gap, []).append(code)
    found = [Unjudged(gap.what, gap.fact(), gap.chosen, tuple(rules)) for gap, rules in codes.items()]
    return tuple(sorted(found, key=lambda item: (item.chosen, -len(item.rules), item.missing)))


def undecided(rules: Iterable[Rule], unjudged: Mapping[str, Gaps], threshold: str, severities: Mapping[str, str]) -> tuple[str, ...]:
    """The codes of rules that might find something at least as bad as the threshold, had everything been read that was asked for.

    `severities`: by code, where they are not the rule's own. What nobody asked for is not missed: the result is about the rest.
    """
    if threshold not in SEVERITIES:
        return ()
    bad = SEVERITIES[: SEVERITIES.index(threshold) + 1]
    return tuple(
        rule.code
        for rule in rules
        if severities.get(rule.code, rule.severity) in bad and any(not gap.chosen for gap in unjudged.get(rule.code, ()))
    )
