"""What lint says about one place in the configuration."""

from __future__ import annotations

from typing import Literal

from meshcheck.model.objects import ObjectRef, Path, Place
from meshcheck.model.record import value
from meshcheck.model.trace import Fix

Severity = Literal["error", "warning", "info"]
Confidence = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""From worst to mildest."""


@value
class Related:
    """Another place that belongs to a finding."""

    message: str
    place: Place | None


@value
class Finding:
    """One finding: which rule, how bad, how sure, what and where."""

    code: str
    name: str
    severity: Severity
    message: str
    object: ObjectRef | None = None
    """None for what is about a document that is no object."""
    field: Path = ()
    place: Place | None = None
    end_column: int | None = None
    """Behind the last column of what it is about, on the line of `place`; None where only the line is known."""
    confidence: Confidence = "high"
    related: tuple[Related, ...] = ()
    refused_by: str | None = None
    """`api-server` or `istiod` when the cluster would not accept the object."""
    suppressed: bool = False
    suppressed_by: str | None = None
    """`annotation`, `comment`, `settings` (each with its reason behind a colon) or `baseline`."""
    audience: str = "author"
    """Who has to act: author, platform or security."""
    fix: Fix | None = None


@value
class Unjudged:
    """A fact that is missing, and the codes of the rules of lint whose silence therefore means nothing."""

    what: str
    """The kind, and the one namespace that is meant."""
    missing: str
    chosen: bool
    """Nobody asked for what is missing: it is in namespaces that are not read on purpose."""
    rules: tuple[str, ...]
