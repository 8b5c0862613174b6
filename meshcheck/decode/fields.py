"""Reads the fields of a configuration file, and collects everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from meshcheck.model.objects import Path, dotted
from meshcheck.model.pattern import pattern
from meshcheck.model.record import value

_DURATION = pattern(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?")
T = TypeVar("T", bound=str)


@value
class Wrong:
    """One thing that is wrong, and the field that it is wrong with."""

    path: Path
    message: str


class Fields:
    """One mapping of the file. What is read from it is known; `end` notes every other field."""

    def __init__(self, value: Any, path: Path, wrong: list[Wrong]) -> None:
        self.path, self.wrong = path, wrong
        self._known: list[str] = []
        self._value: Mapping[str, Any] = {}
        if isinstance(value, Mapping):
            self._value = value
        elif value is not None:
            self._note((), f"must be a mapping, not {_shown(value)}")

    def _note(self, path: Path, message: str) -> None:
        at = (*self.path, *path)
        self.wrong.append(Wrong(at, f"`{dotted(at)}` {message}" if at else f"the file {message}"))

    def _get(self, name: str) -> Any:
        self._known.append(name)
        return self._value.get(name)

    def has(self, name: str) -> bool:
        """Whether a field is written down with a value."""
        return self._value.get(name) is not None

    def raw(self, name: str) -> Any:
        """A field as it is; None when it is absent."""
        return self._get(name)

    def text(self, name: str, default: str = "") -> str:
        """A text that is not empty."""
        found = self._get(name)
        if found is None:
            return default
        if not isinstance(found, str) or not found.strip():
            self._note((name,), f"must be a text, not {_shown(found)}")
            return default
        return found

    def flag(self, name: str, default: bool = False) -> bool:
        """true or false."""
        found = self._get(name)
        if found is None or isinstance(found, bool):
            return default if found is None else found
        self._note((name,), f"must be true or false, not {_shown(found)}")
        return default

    def choice(self, name: str, among: Sequence[T], default: T) -> T:
        """One of some words."""
        from difflib import get_close_matches

        found = self._get(name)
        if found is None:
            return default
        for word in among:
            if found == word:
                return word
        near = get_close_matches(str(found), among, 1)
        self._note((name,), f"is {_shown(found)}, none of {', '.join(among)}{f'; did you mean `{near[0]}`?' if near else ''}")
        return default

    def seconds(self, name: str, default: float) -> float:
        """A duration such as `90s`, `5m` or `1h30m`, in seconds."""
        found = self._get(name)
        if found is None:
            return default
        seconds = duration(found) if isinstance(found, str) else None
        if seconds is None:
            self._note((name,), f"must be a duration such as `90s`, `5m` or `1h30m`, not {_shown(found)}")
        return default if seconds is None else seconds

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; one text alone is a list of one."""
        found = self._get(name)
        if found is None:
            return ()
        out = []
        for number, item in enumerate([found] if isinstance(found, str) else found if isinstance(found, list) else ()):
            if isinstance(item, str) and item.strip():
                out.append(item)
            else:
                self._note((name, number), f"must be a text, not {_shown(item)}")
        if not isinstance(found, (str, list)):
            self._note((name,), f"must be a list of texts, not {_shown(found)}")
        return tuple(out)

    def mapping(self, name: str) -> Fields:
        """The fields of a mapping; those of an empty one when it is absent."""
        return Fields(self._get(name), (*self.path, name), self.wrong)

    def mappings(self, name: str) -> Iterator[Fields]:
        """The mappings of a list."""
        found = self._get(name)
        if found is not None and not isinstance(found, list):
            self._note((name,), f"must be a list, not {_shown(found)}")
        for number, item in enumerate(found if isinstance(found, list) else ()):
            fields = Fields(item, (*self.path, name, number), self.wrong)
            if item is None:
                fields.complain("must be a mapping, not empty")
            yield fields

    def complain(self, message: str, name: str | None = None) -> None:
        """Note something that is wrong with a field, or with the mapping."""
        self._note((name,) if name else (), message)

    def end(self) -> None:
        """Note the fields that nobody asked for."""
        from difflib import get_close_matches

        for name in self._value:
            if name not in self._known:
                near = get_close_matches(str(name), self._known, 1)
                hint = f"; did you mean `{near[0]}`?" if near else f"; known are {', '.join(self._known)}"
                self._note((str(name),), f"is no field here{hint}")


def duration(text: str) -> float | None:
    """The seconds of `1h30m`, `90s` or `500ms`; None for what is no such text, or nothing at all."""
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        return None
    hours, minutes, seconds, thousandths = (int(part or 0) for part in found.groups())
    return (hours * 60 + minutes) * 60 + seconds + thousandths / 1000


def _shown(found: Any) -> str:
    if isinstance(found, (dict, list)):
        return "a mapping" if isinstance(found, dict) else "a list"
    return "nothing" if found is None else f"`{str(found).lower() if isinstance(found, bool) else found}`"
