"""What policies say to a connection on one side of it."""

from __future__ import annotations

from meshcheck.model.reason import Reason
from meshcheck.model.record import NamedTuple
from meshcheck.model.trace import Mention, Symptom


class Side(NamedTuple):
    """One direction. `allowed` is None when it hangs on `missing`; `mentions` are the policies that decide."""

    direction: str
    allowed: bool | None
    mentions: tuple[Mention, ...]
    summary: str
    missing: str | None = None
    reasons: tuple[Reason, ...] = ()
    symptom: Symptom | None = None
    """What the caller sees of a refusal that is no loss of packets."""
