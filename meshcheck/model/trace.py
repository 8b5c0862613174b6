"""What was concluded about a call. The JSON form is that of the contract (`meshcheck/trace/v1`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.objects import Meta, ObjectRef, Origin, Path
from meshcheck.model.question import Question
from meshcheck.model.reason import Reason
from meshcheck.model.record import record, value

ALLOWED, DENIED, UNKNOWN, NOT_APPLICABLE = "allowed", "denied", "unknown", "not-applicable"


@value
class Symptom:
    """What the caller sees. `kind` is http, reset, timeout, refused, tls, dns or cors; `status` and `body` with http."""

    kind: str
    status: int | None = None
    body: str | None = None
    headers: Mapping[str, str] | None = None


@value
class Mention:
    """A policy or another object that took part at a station. `effect`: allows, denies, passes, isolates, or empty."""

    meta: Meta
    direction: str | None = None
    effect: str | None = None
    rule: int | str | None = None
    field: Path = ()


@record
class Station:
    """One point that can refuse the call. `symptom` is set where it does, or where it answers by itself."""

    name: str
    enforcer: str
    verdict: str
    summary: str = ""
    policies: tuple[Mention, ...] = ()
    reasons: tuple[Reason, ...] = ()
    symptom: Symptom | None = None
    policy_id: str | None = None
    decider: Mention | None = None
    """The object that decides, its rule and field."""
    missing: str | None = None
    workload: str | None = None
    identity: str | None = None
    """The identity that the server sees, without `spiffe://`; None for plaintext."""
    answers: bool = False
    """The proxy answers by itself, below 400: the call ends here, allowed."""
    wire: tuple[str, int] | None = None
    """Protocol and port of the connection that network policies look at."""


@record
class Hop:
    """From one workload (or the outside) to the next."""

    source: str
    target: str
    stations: tuple[Station, ...]
    phase: str = ""
    """`preflight` for the hops of what a browser asks first; else empty."""


@value
class Missing:
    """A fact that the input does not hold, and the station that needs it."""

    fact: str
    needed_by: str


@value
class Reached:
    """The workload that the call gets to."""

    namespace: str | None
    workload: str | None
    service: str | None
    port: int | None


@record
class Trace:
    """The answer to a question."""

    question: Question
    verdict: str
    symptom: Symptom
    reached: Reached | None
    hops: tuple[Hop, ...]
    missing: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()
    """What else a reader should know: assumptions, policies that would have denied in dry-run, several pods."""

    @property
    def decided_at(self) -> tuple[int, Station] | None:
        """(hop counted from 1, the station that decides); None when nobody refuses."""
        for number, hop in enumerate(self.hops, 1):
            for station in hop.stations:
                if station.verdict == DENIED or station.answers:
                    return number, station
        return None


@value
class Cause:
    """One thing that, were it otherwise, would change the verdict; the first one is the likeliest."""

    message: str
    object: ObjectRef | None = None
    meta: Meta | None = None
    field: Path = ()


@value
class Opened:
    """Requests that a change lets through beside the one that was asked about, and one of them."""

    words: str
    example: Question | None = None


@value
class Fix:
    """A change that turns the verdict. `patches`: (object, JSON Patch); `verified`: evaluated again with the change.

    `safe`: it is verified, and opens nothing beside the call, as far as that was looked at.
    """

    description: str
    patches: tuple[tuple[ObjectRef, tuple[Mapping[str, Any], ...]], ...] = ()
    safe: bool = True
    verified: bool = False
    also_opens: tuple[Opened, ...] | None = ()
    """None where it was not looked at."""
    origins: tuple[Origin | None, ...] = ()
    """Of each patch: where its object was read. Of a new object (one `add` with an empty path): of one in whose file it may stand."""
