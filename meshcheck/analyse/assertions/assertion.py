"""One statement about calls."""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.analyse.shape import Shape
from meshcheck.model.objects import Path
from meshcheck.model.question import Question
from meshcheck.model.record import record

EXPECTED = ("allowed", "denied", "unknown")


@record
class Selector:
    """Some workloads, or who is no workload of the input. All that is given must hold; `namespaces` and `names` are globs.

    `words` is how the file says it. `kind`: workloads, external (from outside the cluster), stranger (a workload that is not in the input),
    url (a target by its address), address (an IP address as the caller).
    """

    words: str
    kind: str = "workloads"
    namespaces: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    labels: Mapping[str, str] | None = None
    port: int | None = None
    url: str = ""


@record
class Selection:
    """What one of the selectors means, and none of `exclude`."""

    include: tuple[Selector, ...]
    exclude: tuple[Selector, ...] = ()


@record
class Assertion:
    """Every call from `callers` to `targets` with a request of the shape fares as expected."""

    name: str
    path: Path
    """Of the statement in its file."""
    callers: Selection
    targets: Selection
    shape: Shape
    expect: str
    """allowed, denied or unknown."""
    status: int | None = None
    """Of the refusal, where the statement says which."""
    by: str = ""
    """NAME, NAMESPACE/NAME or Kind NAMESPACE/NAME of the object that must decide; empty for any."""
    because: str = ""
    strangers: bool | None = None
    """Whether workloads that are not in the input count; None: where the input does not hold all workloads."""


@record
class Example:
    """A call that does not fare as expected, and how it fares."""

    question: Question
    description: str
    """The requests that fare alike."""
    alike: int
    """How many callers fare like this one; 1 for this one alone."""
    verdict: str
    said: str


@record
class Judgement:
    """Whether a statement holds: `holds`, `fails` or `unknown`.

    `examples`: calls that break it, or (unknown) that may. `pairs` of callers and targets were looked at, and `kinds` of requests that the
    mesh tells apart; nothing was left out.
    """

    assertion: Assertion
    outcome: str
    why: str
    examples: tuple[Example, ...]
    pairs: int
    kinds: int
    seconds: float
