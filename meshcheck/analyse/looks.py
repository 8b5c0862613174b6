"""One look of the mesh at a request, and a watcher that writes down all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from meshcheck.analyse.regexes import language_of
from meshcheck.model.question import Question
from meshcheck.model.record import NamedTuple
from meshcheck.semantics import languages as sets
from meshcheck.semantics.addresses import Address, parse_address
from meshcheck.semantics.languages import Language, NotRegularError
from meshcheck.semantics.request_path import split_target
from meshcheck.semantics.watching import Pattern

Block = tuple[int, int, int]
FORWARDED = "header:x-forwarded-for"


class Look(NamedTuple):
    """What is asked about one part of a request: method, path, authority, token, source, `header:NAME`, `query:NAME`, `claim:A/B`."""

    part: str
    language: Language | None
    """Values that fit; None for the token's presence and for blocks."""
    absent: bool
    """The outcome for a request without that part."""
    patterns: tuple[Pattern, ...] = ()
    """The same in the words of the configuration."""
    block: Block | None = None
    rewritten: bool = False
    """The patterns are compared with what a route makes of the path."""


class Seen(NamedTuple):
    """A look and its outcome. `fixed`: requests with the other outcome are not meant."""

    look: Look
    outcome: bool
    fixed: bool = False


class NotMeantError(BaseException):
    """The request is not one that was asked about: it lacks what `seen` says. (Not an Exception: nobody on the way may catch it.)"""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen


class Recorder:
    """Writes down the looks at one request, in their order, each once. A watcher (`meshcheck.semantics.watching`)."""

    def __init__(self, question: Question, authority: str, stranger: str | None = None) -> None:
        self.question, self.natural, self.host = question, authority, question.host or authority
        self.seen: dict[Look, Seen] = {}
        self.inexact: dict[str, None] = {}
        self.begin()
        self._stranger = stranger
        """The principal of a caller that may be anybody."""
        self._source = parse_address(question.source_ip) if question.source_ip else None
        lines = question.headers.get("x-forwarded-for")
        self._forwarded = parse_address(lines[-1].rpartition(",")[2].strip()) if lines else None

    def begin(self) -> None:
        """See Watcher."""
        self._paths: dict[str, Callable[[Language], Language]] = {split_target(self.question.path)[0]: _same}
        self._constant: set[str] = set()
        self._hosts: set[str] = set()
        self._replaced: set[str] = set()
        self._unclear: set[str] = set()
        self._token_lost = False

    def _add(self, part: str, patterns: Sequence[Pattern], outcome: bool, absent: bool, made: Callable[[Language], Language]) -> None:
        try:
            rewritten = part == "path" and made is not _same
            look = Look(part, made(language_of(tuple(patterns))), absent, tuple(patterns), rewritten=rewritten)
        except NotRegularError as error:
            self.opaque(f"{part.replace(':', ' ')}: {error}")
            return
        self.seen.setdefault(look, Seen(look, outcome))

    # ---- the watcher ----

    def text(self, part: str, patterns: Sequence[Pattern], actual: str, outcome: bool) -> None:
        """See Watcher."""
        if part == "method" and actual == self.question.method:
            self._add(part, patterns, outcome, False, _same)
        elif part == "path" and (made := self._paths.get(actual)) is not None:
            self._add(part, patterns, outcome, False, made)
        elif part == "path" and actual not in self._constant:
            self.opaque("the path is compared after a change that cannot be followed")
        elif part == "authority" and actual.lower() == self.host.lower():
            self._add(part, patterns, outcome, False, _same)
        elif part == "authority" and actual not in self._hosts and actual:
            self.opaque("the host is compared after a change that cannot be followed")

    def principal(self, patterns: Callable[[], Sequence[Pattern]], actual: str, outcome: bool) -> None:
        """See Watcher."""
        if actual == self._stranger:
            self._add("principal", patterns(), outcome, False, _same)

    def target(self, patterns: Sequence[Pattern], path: str, query: str, outcome: bool) -> None:
        """See Watcher."""
        self.opaque("a rule compares the path together with the query (`:path`)")
        if not query:
            self.text("path", patterns, path, outcome)

    def header(
        self,
        name: str,
        patterns: Sequence[Pattern],
        lines: Sequence[str] | None,
        outcome: bool,
        joined: bool = False,
        when_absent: bool = False,
    ) -> None:
        """See Watcher."""
        if name in self._replaced:
            return
        if name in self._unclear and name == "x-forwarded-for" and all(pattern.kind == "any" for pattern in patterns):
            return  # a gateway puts its peer there: it is always present
        if name in self._unclear:
            self.opaque(f"header {name} is compared after the mesh wrote it from other parts of the request")
        elif name == "x-forwarded-for" and not all(pattern.kind == "any" for pattern in patterns):
            self.opaque("a rule compares the text of X-Forwarded-For")
        else:
            self._add(f"header:{name}", patterns, outcome, when_absent, sets.joined if joined else sets.any_line)

    def query(self, name: str, patterns: Sequence[Pattern], value: str | None, outcome: bool) -> None:
        """See Watcher."""
        self._add(f"query:{name}", patterns, outcome, False, _same)

    def token(self, claims: Mapping[str, Any] | None) -> None:
        """See Watcher."""
        self._token_lost = self.question.claims is not None and claims is None
        if not self._token_lost:
            look = Look("token", None, False)
            self.seen.setdefault(look, Seen(look, claims is not None))

    def claim(self, keys: tuple[str, ...], patterns: Sequence[Pattern], outcome: bool, when_absent: bool = False) -> None:
        """See Watcher."""
        if not self._token_lost and self.question.claims is not None:
            self._add(f"claim:{'/'.join(keys)}", patterns, outcome, when_absent, sets.any_line)

    def address(self, block: Block, bits: int, number: int, outcome: bool) -> None:
        """See Watcher."""
        address = Address(bits, number)
        if address in (self._source, self._forwarded):
            part = "source" if address == self._source else FORWARDED
            look = Look(part, None, False, (), (block[0], block[1], block[2]))
            self.seen.setdefault(look, Seen(look, outcome))

    def forwarded(self, entries: Sequence[str], place: int, found: bool) -> None:
        """See Watcher."""
        look = Look(FORWARDED, None, False, (Pattern("entries", str(place)),))
        self.seen.setdefault(look, Seen(look, found))
        if found:
            self._forwarded = parse_address(entries[-place])

    def host_chooses(self, names: Sequence[str]) -> None:
        """See Watcher."""
        own = self.natural if self.natural.startswith("[") else self.natural.partition(":")[0]
        patterns = (Pattern("exact", self.natural), *(Pattern("host", name) for name in dict.fromkeys((own, *names))))
        look = Look("authority", language_of(patterns), False, patterns)
        if not sets.contains(look.language or sets.ALL, self.host):
            raise NotMeantError(Seen(look, True, True))
        self.seen.setdefault(look, Seen(look, True, True))

    def limit(self, part: str, patterns: Sequence[Pattern], fits: bool, wanted: bool) -> None:
        """See Watcher."""
        name = part.partition(":")[2]
        if part.startswith("header:") and (name in self._replaced or name in self._unclear):
            return
        if part.startswith("claim:") and (self._token_lost or self.question.claims is None):
            return
        made = sets.any_line if part.startswith(("header:", "claim:")) else _same
        look = Look(part, made(language_of(tuple(patterns))), False, tuple(patterns))
        if fits is not wanted:
            raise NotMeantError(Seen(look, wanted, True))
        self.seen.setdefault(look, Seen(look, wanted, True))

    def cut(self, before: str, after: str, head: str, length: int) -> None:
        """See Watcher."""
        made = self._paths.get(before)
        if length < 0:
            self._constant.add(after)
        elif made is not None and after not in self._paths:
            self._paths[after] = lambda wanted: made(_before_cut(wanted, head, length))

    def authority(self, before: str, after: str) -> None:
        """See Watcher."""
        self._hosts.add(after)

    def headers_changed(self, replaced: Sequence[str], unclear: Sequence[str] = ()) -> None:
        """See Watcher."""
        self._replaced.update(replaced)
        self._unclear.update(unclear)

    def opaque(self, why: str) -> None:
        """See Watcher."""
        self.inexact[why] = None


def _same(wanted: Language) -> Language:
    return wanted


def _before_cut(wanted: Language, head: str, length: int) -> Language:
    """Paths that fit after their first `length` letters gave way to `head`; an empty path becomes `/`."""
    rest = wanted
    for letter in head:
        rest = sets.after(rest, letter)
    if not head:
        longer = sets.all_of((rest, sets.no(sets.EMPTY)))
        rest = sets.any_of((longer, sets.EMPTY)) if sets.contains(wanted, "/") else longer
    return sets.seq(*[sets.letters(sets.LETTERS)] * length, rest)
