"""What the checks of one object return: nothing for a good object, a list of faults for another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from meshcheck.model.objects import Path
from meshcheck.model.record import NamedTuple

REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"
"""A field that no schema knows: it is dropped with a warning."""
NULL: Final = "null"
"""Written in another way than it is read, for the most part as null: rules look at the object as it is read."""


class _Drop:
    """Stands for the absence of a value."""


DROP: Final = _Drop()


class Fault(NamedTuple):
    """One fault at a path that is relative to the value that was checked."""

    path: Path
    message: str
    code: str = REFUSED
    put: Any = DROP
    """What the API server reads in place of the value; DROP when it reads nothing."""


Faults = list[Fault] | None
"""None when there is nothing to say: no list is made for a good value."""
Check = Callable[[Any], Faults]
Format = Callable[[str], "str | None"]
"""What is wrong with a text, or None."""


def at(message: str, *path: str | int) -> list[Fault]:
    """One refusal at a path below the value."""
    return [Fault(path, message)]


def below(faults: Faults, *path: str | int) -> list[Fault]:
    """Faults of a part, as faults of the whole."""
    return [Fault((*path, *fault.path), *fault[1:]) for fault in faults] if faults else []


def cleaned(value: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """The object as the API server reads it: without unknown fields and nulls. Only what changes is copied."""
    owned: set[int] = set()
    root = _own(value, owned)
    for fault in faults:
        if fault.code == REFUSED or not fault.path:
            continue
        here: Any = root
        for step in fault.path[:-1]:
            here[step] = here = _own(here[step], owned)
        if fault.put is DROP:
            del here[fault.path[-1]]
        else:
            here[fault.path[-1]] = fault.put
    return root  # type: ignore[no-any-return]


def _own(value: Any, owned: set[int]) -> Any:
    if id(value) in owned:
        return value
    copy = value.copy()
    owned.add(id(copy))
    return copy
