"""Who wants to know what the mesh looks at in a request.

Whatever decides by a part of a request tells the watcher, where there is one: which part, which patterns it was compared with, and what
came out. `meshcheck.analyse` runs the trace engine with a watcher to find all requests that fare alike: another request with the same
outcomes takes the same way. A matcher that cannot say by which patterns it decides says so (`opaque`); one that says nothing is a
fault, which `tests/property/test_classes.py` finds.

Without a watcher this costs one look at `by`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from meshcheck.model.record import NamedTuple


class Pattern(NamedTuple):
    """A set of texts. `kind`:

    exact, prefix, suffix, contains; any (every text, the empty one too), some (every text but the empty one); regex (the whole text);
    template (a path with `{*}` and `{**}`); segments (a path prefix of whole segments); host (the text, with any port or none; case does
    not count). `fold`: case does not count.
    """

    kind: str
    text: str = ""
    fold: bool = False


ANY, SOME = Pattern("any"), Pattern("some")


class Watcher(Protocol):
    """Who is told."""

    def begin(self) -> None:
        """The request is sent anew: changes that were made to it on another way do not count."""

    def text(self, part: str, patterns: Sequence[Pattern], actual: str, outcome: bool) -> None:
        """A text was compared: `part` is method, path, authority, scheme or sni; the outcome says whether one pattern holds."""

    def principal(self, patterns: Callable[[], Sequence[Pattern]], actual: str, outcome: bool) -> None:
        """The caller's identity (`spiffe://…`) was compared."""

    def target(self, patterns: Sequence[Pattern], path: str, query: str, outcome: bool) -> None:
        """The path with its query was compared."""

    def header(
        self,
        name: str,
        patterns: Sequence[Pattern],
        lines: Sequence[str] | None,
        outcome: bool,
        joined: bool = False,
        when_absent: bool = False,
    ) -> None:
        """A header was compared: each line on its own, or (`joined`) all of them with commas between.

        `when_absent`: the outcome for a request without it.
        """

    def query(self, name: str, patterns: Sequence[Pattern], value: str | None, outcome: bool) -> None:
        """A parameter of the query was compared; it fails where there is none."""

    def token(self, claims: Mapping[str, Any] | None) -> None:
        """A point that checks tokens was passed, with the claims of a token that counts as verified, or without a token."""

    def claim(self, keys: tuple[str, ...], patterns: Sequence[Pattern], outcome: bool, when_absent: bool = False) -> None:
        """A claim of the token was compared: a text, or a list that holds one. `when_absent`: the outcome for a token without it."""

    def address(self, block: tuple[int, int, int], bits: int, number: int, outcome: bool) -> None:
        """An address (`bits`: 32 or 128) was compared with a block (bits, number, shift)."""

    def forwarded(self, entries: Sequence[str], place: int, found: bool) -> None:
        """The client's address was looked for at a place of X-Forwarded-For, counted from its end (1: the last)."""

    def host_chooses(self, names: Sequence[str]) -> None:
        """Another Host than the one that the client sends by itself, or than these names of the same, would be a call to another target."""

    def limit(self, part: str, patterns: Sequence[Pattern], fits: bool, wanted: bool) -> None:
        """Requests whose `part` (`header:NAME`, `query:NAME`, `claim:NAME`) fits, or (`wanted`) does not, bring a token that is not valid.

        Nobody asks about these.
        """

    def cut(self, before: str, after: str, head: str, length: int) -> None:
        """A path was rewritten: its first `length` characters gave way to `head`; `length` -1: all of it."""

    def authority(self, before: str, after: str) -> None:
        """Another host was put in place of the request's."""

    def headers_changed(self, replaced: Sequence[str], unclear: Sequence[str] = ()) -> None:
        """From here on these headers are what the mesh makes them, whatever the request has; `unclear` ones depend on the request still."""

    def opaque(self, why: str) -> None:
        """Something decides by the request in a way that cannot be said in patterns."""


by: Watcher | None = None


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """While this lasts, looks at requests are told to a watcher."""
    global by
    before, by = by, watcher
    try:
        yield
    finally:
        by = before
