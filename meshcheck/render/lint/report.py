"""What every form of the report is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from meshcheck.lint.project import Outcome
from meshcheck.model.finding import SEVERITIES, Finding
from meshcheck.model.objects import Origin, Place
from meshcheck.model.record import record, value
from meshcheck.patch.preview import TextOf

REFUSERS = {"api-server": "the API server refuses it", "istiod": "Istio's webhook refuses it"}


@value
class Read:
    """How much was read, and what could not be."""

    files: int
    documents: int
    objects: int
    not_read: tuple[tuple[Place, str], ...]


def _no_text(_: Origin | None) -> None:
    return None


@record
class LintReport:
    """A run of lint, with what a form needs to show it."""

    outcome: Outcome
    read: Read
    threshold: str
    """`--fail-on`: error, warning, info or never."""
    line: Callable[[Place], str]
    """The line of a place as it was written; empty when it is not known."""
    version: str
    text_of: TextOf = _no_text
    """The document of an object, for what a fix makes of it."""


def place_words(place: Place) -> str:
    """`cart.yaml:12:9`."""
    return f"{place.file}:{place.line}:{place.column}" if place.line else str(place)


def counted(findings: Iterable[Finding]) -> str:
    """`2 errors, 1 warning`; empty when there are none."""
    numbers = Counter(finding.severity for finding in findings)
    return ", ".join(plural(numbers[severity], severity) for severity in SEVERITIES if numbers[severity])


def plural(number: int, word: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {word}" if number == 1 or word == "info" else f"{number} {word}s"


def message_of(finding: Finding) -> str:
    """The message, and who refuses the object."""
    refusal = f" ({REFUSERS[finding.refused_by]})" if finding.refused_by in REFUSERS else ""
    return f"{finding.message}{refusal}"
