"""What an entry point makes of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from meshcheck.model.question import Question
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import ALLOWED, DENIED, UNKNOWN, Station, Symptom
from meshcheck.semantics.outbound.sending import Sending
from meshcheck.semantics.tracing.call import Call
from meshcheck.semantics.tracing.caller import CallerView


class Passed(NamedTuple):
    """The stations of the first hop, and either how the call ends there (`verdict`) or what is sent on (`sendings`)."""

    stations: tuple[Station, ...]
    verdict: str | None = None
    symptom: Symptom | None = None
    missing: tuple[str, ...] = ()
    question: Question = None  # type: ignore[assignment]
    """The call as it is sent on."""
    who: CallerView = None  # type: ignore[assignment]
    """The proxy, as the caller of the second hop."""
    sendings: tuple[Sending, ...] = ()


class Entry(NamedTuple):
    """A gateway or ingress controller. `enter` says what it makes of a call."""

    name: str
    enter: Callable[[Call], Passed]


def refused(stations: Iterable[Station]) -> Passed | None:
    """The end of a call at its last station, if that refuses it or answers."""
    found = tuple(stations)
    last = found[-1] if found else None
    if last is None or not (last.verdict == DENIED or last.answers):
        return None
    return Passed(found, DENIED if last.verdict == DENIED else ALLOWED, last.symptom)


def unknown(stations: Iterable[Station], *facts: str) -> Passed:
    """Nobody can say how it goes on."""
    return Passed(tuple(stations), UNKNOWN, None, facts)
