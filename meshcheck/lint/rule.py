"""What a rule is. A rule is one file: its docstring is its page, its decorated function finds.

    \"\"\"A DENY policy without rules never matches.

    ## Finds … ## Why it matters … ## Avoid … ## Prefer … ## Exceptions … ## Silent when …
    \"\"\"

    @rule("MC112", "deny-without-rules", severity="error", needs="document")
    def check(evidence: Evidence) -> Iterator[Found]:
        ...

A rule of which the cluster itself is the judge (it refuses the object) says which refusals are its own: `@refusal`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

from meshcheck.model.finding import Confidence, Severity
from meshcheck.model.objects import Meta, ObjectRef, Origin, Path, Place
from meshcheck.model.record import record, value
from meshcheck.model.trace import Fix

if TYPE_CHECKING:
    from meshcheck.decode.admission import Problem
    from meshcheck.lint.evidence import Evidence
    from meshcheck.lint.marks import Applied

Needs = Literal["document", "documents", "absence", "two-worlds", "live"]
"""What a rule must see before it may speak.

document    one document is enough
documents   several documents; what is not there may still exist
absence     it claims that something does not exist: all objects of its `kinds` must be known (`World.complete`)
two-worlds  a state before and after
live        a cluster, or a snapshot of one
"""
Audience = Literal["author", "platform", "security"]
"""Who has to act: the author of the manifest, who runs the mesh, who answers for its protection."""

HEADINGS = ("Finds", "Why it matters", "Avoid", "Prefer", "Exceptions", "Silent when")
"""The parts of a rule's page, in this order."""


@value
class Found:
    """One thing that a rule found, before its place is known."""

    message: str
    object: ObjectRef | None
    origin: Origin | None
    field: Path = ()
    related: tuple[tuple[str, Origin | None, Path], ...] = ()
    """(what, where, field) of other places that belong to it."""
    fix: Fix | None = None
    severity: Severity | None = None
    """Where it differs from the rule's own."""
    confidence: Confidence | None = None
    place: Place | None = None
    """Where it is not the place of an object's field."""
    refused_by: str | None = None


def found(
    meta: Meta,
    field: Path,
    message: str,
    *related: tuple[str, Meta, Path],
    fix: Fix | None = None,
    severity: Severity | None = None,
    confidence: Confidence | None = None,
) -> Found:
    """Something found at a field of an object. `related`: (what, object, field) of other places."""
    others = tuple((words, other.origin, path) for words, other, path in related)
    return Found(message, meta.ref, meta.origin, field, others, fix, severity, confidence)


@record
class Rule:
    """One rule. At least one of `check` and `claims` is set, or `reviews`."""

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    audience: Audience
    needs: Needs
    kinds: tuple[str, ...]
    """With `needs="absence"`: kinds of which all objects must be known."""
    check: Callable[[Evidence], Iterable[Found]] | None
    claims: Callable[[str, Problem], bool] | None
    """Whether a refusal of an object of a kind is this rule's."""
    reviews: Callable[[Applied], Iterable[Found]] | None
    """What there is to say about a suppression once all other rules have run."""
    page: str

    @property
    def summary(self) -> str:
        """The first sentence of the page."""
        return self.page.strip().partition("\n")[0]


def rule(
    code: str,
    name: str,
    *,
    severity: Severity,
    needs: Needs,
    confidence: Confidence = "high",
    audience: Audience = "author",
    kinds: tuple[str, ...] = (),
    claims: Callable[[str, Problem], bool] | None = None,
) -> Callable[[Callable[[Evidence], Iterable[Found]]], Rule]:
    """Makes a rule of a function that looks at the evidence. `claims`: refusals of a cluster that are this rule's as well."""

    def make(check: Callable[[Evidence], Iterable[Found]]) -> Rule:
        return Rule(code, name, severity, confidence, audience, needs, kinds, check, claims, None, _page(check))

    return make


def refusal(
    code: str, name: str, *, severity: Severity = "error", confidence: Confidence = "high", audience: Audience = "author"
) -> Callable[[Callable[[str, Problem], bool]], Rule]:
    """Makes a rule of a function that says which refusals (or dropped fields) of a cluster are the rule's own."""

    def make(claims: Callable[[str, Problem], bool]) -> Rule:
        return Rule(code, name, severity, confidence, audience, "document", (), None, claims, None, _page(claims))

    return make


def review(
    code: str, name: str, *, severity: Severity, confidence: Confidence = "high", audience: Audience = "author"
) -> Callable[[Callable[[Applied], Iterable[Found]]], Rule]:
    """Makes a rule of a function that looks at a suppression after the run."""

    def make(reviews: Callable[[Applied], Iterable[Found]]) -> Rule:
        return Rule(code, name, severity, confidence, audience, "document", (), None, None, reviews, _page(reviews))

    return make


def _page(function: Callable[..., object]) -> str:
    return sys.modules[function.__module__].__doc__ or ""
