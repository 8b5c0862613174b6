"""Requests that a mesh does not tell apart, and what becomes of them."""

from __future__ import annotations

from meshcheck.model.objects import ObjectRef
from meshcheck.model.question import Question
from meshcheck.model.record import record
from meshcheck.model.trace import Missing, Reached, Symptom


@record
class RequestClass:
    """A set of requests that take the same way through everything that looks at them.

    `witness` is one of them, as a question that `trace` answers with `verdict`. `description` says in words which they are:
    `DELETE, path /api/*, without header x-team`; `any request` for all.
    """

    witness: Question
    description: str
    verdict: str
    symptom: Symptom
    policy: ObjectRef | None
    """The object that decides; None where none does."""
    policy_id: str | None
    """Envoy's name of the deciding rule, or `none`, as in a trace."""
    missing: tuple[Missing, ...]
    """Facts that an unknown verdict waits for."""
    reached: Reached | None = None
    ended: str = ""
    """Where the call ends: the target of the last hop."""
    inexact: tuple[str, ...] = ()
    """Why requests that fit the description may fare otherwise than the witness; empty where they cannot."""


@record
class Classes:
    """All requests of one caller to one target. Every request of the shape that was asked for falls into exactly one class.

    Requests that no server reads as requests are left out: paths that are no URL path, and tokens that are not valid. A path stands for
    all that are the same after the mesh's normalisation.
    """

    classes: tuple[RequestClass, ...]
    inexact: tuple[str, ...] = ()
    """Why there may be requests outside all classes (a bound was reached); empty where there are none."""

    @property
    def exact(self) -> bool:
        """Whether nothing is left open: only then does `holds` mean proven."""
        return not self.inexact and not any(one.inexact for one in self.classes)

    def of(self, verdict: str) -> tuple[RequestClass, ...]:
        """The classes with a verdict."""
        return tuple(one for one in self.classes if one.verdict == verdict)


@record
class Change:
    """Requests whose answer differs between two worlds.

    `witness` is one of them: `trace(old, witness)` is `old`, `trace(new, witness)` is `new`.
    """

    witness: Question
    description: str
    old: RequestClass
    new: RequestClass

    @property
    def opens(self) -> bool:
        """Whether the requests get through now, and did not before (or that was not known)."""
        return self.new.verdict == "allowed" and self.old.verdict != "allowed"

    @property
    def closes(self) -> bool:
        """Whether the requests got through before, and do not any more (or that is not known)."""
        return self.old.verdict == "allowed" and self.new.verdict != "allowed"

    @property
    def inexact(self) -> tuple[str, ...]:
        """Why requests that fit the description may fare otherwise than the witness."""
        return tuple(dict.fromkeys((*self.old.inexact, *self.new.inexact)))


@record
class Comparison:
    """All that differs between two worlds for one caller and one target; no changes and `exact`: the worlds answer alike."""

    changes: tuple[Change, ...]
    inexact: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether nothing is left open."""
        return not self.inexact and not any(change.inexact for change in self.changes)
