"""The places in documents that are written in plain words: block mappings and lists, words and quoted words on one line, short flow.

All else (anchors, tags, merges, texts over several lines, keys with `?`, tabs, and what is no YAML at all) is refused, not guessed: libyaml
knows it. tests/property/test_events.py holds each event against libyaml's. That this file exists saves a small `trace` the time to load
PyYAML, which is more than that of two empty Pythons.
"""

from __future__ import annotations

from bisect import bisect_right

from meshcheck.model.pattern import pattern
from meshcheck.model.record import NamedTuple

MAP, SEQ, END, SCALAR, ALIAS, DOCUMENT = "map", "seq", "end", "scalar", "alias", "document"
_MOST_DEPTH = 100
_MOST_KEY = 1000
"""Characters; libyaml looks 1,024 ahead for the colon of a key."""

_KEY = pattern(r"""("[^"\\\n]*"|'[^'\n]*'|[A-Za-z0-9_./$][A-Za-z0-9_./$@+~-]*) *:(?= |$)""")
_QUOTED = pattern(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'""")
_PLAIN_FIRST = pattern(r"[^\s\"'#&*!|>%@`{}\[\],?:-]|-(?=\S)")
_PLAIN_END = pattern(r" +(?:#|$)")
_NO_PLAIN = pattern(r":(?: |$)")
_LITERAL = pattern(r"\|([-+]?) *(?:#.*)?$")
_REST = pattern(r" *(?: #.*)?$")
_ESCAPES = pattern(r'"(?:[^"\\]|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4})*"')
"""A text in quotes that JSON and YAML read alike."""
_GAP = pattern(r"[ \n]*")
_FLOW_PLAIN = pattern(r"(?:[A-Za-z0-9_./$+=<~(^\\]|-(?=[^\s,\[\]{}]))(?:[^\n,\[\]{}:#?]|:(?=[^\s,\[\]{}:#?]))*")
_COLON = pattern(r" *:(?=[ \n])")


class NotPlainError(Exception):
    """The text is written in a way that this file does not know, or is no YAML."""


class Event(NamedTuple):
    """A scalar, an alias, the start of a mapping or of a list, or the end of either; libyaml tells of documents, too.

    Lines and columns are counted from 0.
    """

    kind: str
    start: int
    """Offset in the text."""
    line: int
    column: int
    end: int
    """Of a scalar and of what ends a flow collection: behind its last character. Of others neither this says anything nor the next two."""
    end_line: int
    end_column: int
    value: str = ""
    style: str = ""
    """Of a scalar: the sign it starts with (a quote, `|`, `>`), or empty."""
    flow: bool = False
    """Of the start of a collection: it is written in brackets."""
    anchor: str | None = None
    tag: str | None = None
    plain: bool = False
    """Of a scalar: what it says decides its type."""


class _Row(NamedTuple):
    """A line that says something, or what is left of it behind a dash."""

    line: int
    start: int
    """Offset of the line."""
    column: int
    """Of the first character of `text`."""
    text: str


def events(text: str) -> list[Event]:
    """The events of a document; none of an empty one. Raises NotPlainError."""
    return _Reader(text).events


class _Reader:
    def __init__(self, text: str) -> None:
        if not text.replace("\n", "").isprintable():
            raise NotPlainError
        self.text, self.events = text, list[Event]()
        self.lines = text.split("\n")
        self.starts: list[int] = []
        self.rows: list[_Row] = []
        self.at = self.depth = start = 0
        for number, line in enumerate(self.lines):
            self.starts.append(start)
            said = line.lstrip(" ")
            if said and said[0] != "#":
                self.rows.append(_Row(number, start, len(line) - len(said), said))
            start += len(line) + 1
        if self.rows:
            if any(row.column == 0 and row.text[:3] in ("---", "...") for row in self.rows) or self.rows[0].text[0] == "%":
                raise NotPlainError
            self._block(-1)
            if self.at < len(self.rows):
                raise NotPlainError

    # ---- blocks ----

    def _block(self, around: int) -> None:
        """The value that starts at the row; the column of what is around it."""
        row = self.rows[self.at]
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            raise NotPlainError
        if row.text[:2] in ("-", "- "):
            self._list(row.column)
        elif _KEY.match(row.text):
            self._mapping(row.column)
        else:
            self._inline(row, 0, around)
        self.depth -= 1

    def _mapping(self, column: int) -> None:
        self._open(MAP, self.rows[self.at])
        while True:
            row = self.rows[self.at]
            key = _KEY.match(row.text)
            if key is None or key.end() > _MOST_KEY:
                raise NotPlainError
            word = key[1]
            quote = word[0] if word[0] in "\"'" else ""
            self._scalar(row, 0, len(word), word[1:-1] if quote else word, quote)
            self._value(row, key.end(), column, lists_beside=True)
            if not self._goes_on(column) or self.rows[self.at].text[:2] in ("-", "- "):
                break
        self.events.append(_CLOSE)

    def _list(self, column: int) -> None:
        self._open(SEQ, self.rows[self.at])
        while True:
            row = self.rows[self.at]
            rest = row.text[1:].lstrip(" ")
            if not rest or rest[0] == "#":
                self._value(row, 1, column, lists_beside=False)
            else:
                behind = len(row.text) - len(rest)
                self.rows[self.at] = _Row(row.line, row.start, row.column + behind, rest)
                self._block(column)
            if not self._goes_on(column) or self.rows[self.at].text[:2] not in ("-", "- "):
                break
        self.events.append(_CLOSE)

    def _goes_on(self, column: int) -> bool:
        """Whether the next row belongs to the collection at a column."""
        if self.at == len(self.rows) or self.rows[self.at].column < column:
            return False
        if self.rows[self.at].column > column:
            raise NotPlainError
        return True

    def _value(self, row: _Row, at: int, column: int, lists_beside: bool) -> None:
        """What stands behind a colon or a dash: in its line, in the rows below, or nothing."""
        rest = row.text[at:].lstrip(" ")
        if rest and rest[0] != "#":
            self._inline(row, len(row.text) - len(rest), column)
            return
        self.at += 1
        if self.at < len(self.rows):
            below = self.rows[self.at]
            if below.column > column or (lists_beside and below.column == column and below.text[:2] in ("-", "- ")):
                self._block(column)
                return
        self._scalar(row, at, at, "", "")

    def _inline(self, row: _Row, at: int, around: int) -> None:
        """A value that begins in a row."""
        text = row.text[at:]
        first = text[0]
        if first in "{[":
            end = self._flow(row.start + row.column + at)
            while self.at < len(self.rows) and self.rows[self.at].start < end:
                self.at += 1
            line, column = self._place(end)
            if not _REST.match(self.lines[line], column):
                raise NotPlainError
            return
        if first == "|":
            self._literal(row, at, around)
            return
        if first in "\"'":
            quoted = _QUOTED.match(text)
            if quoted is None or not _REST.match(text, quoted.end()):
                raise NotPlainError
            self._scalar(row, at, at + quoted.end(), _unquoted(quoted[0]), first)
        else:
            end = found.start() if (found := _PLAIN_END.search(text)) else len(text)
            if not _PLAIN_FIRST.match(text) or _NO_PLAIN.search(text, 0, end):
                raise NotPlainError
            self._scalar(row, at, at + end, text[:end], "")
        self.at += 1
        if self.at < len(self.rows) and self.rows[self.at].column > around:
            raise NotPlainError  # it goes on in the next line

    def _literal(self, row: _Row, at: int, around: int) -> None:
        """A block of text behind `|`."""
        sign = _LITERAL.match(row.text, at)
        number = row.line + 1
        first = self.lines[number] if number < len(self.lines) else ""
        indent = len(first) - len(first.lstrip(" "))
        if sign is None or not first.strip(" ") or indent <= max(around, 0) or not self.text.endswith("\n"):
            raise NotPlainError
        said = []
        while number < len(self.lines):
            line = self.lines[number]
            if line.strip(" ") and len(line) - len(line.lstrip(" ")) < indent:
                break
            if not line.strip(" ") and len(line) > indent:
                raise NotPlainError
            said.append(line[indent:])
            number += 1
        if number == len(self.lines):
            said.pop()  # behind the last line end
            number -= 1
        body = "\n".join(said) + "\n"
        value = body if sign[1] == "+" else body.rstrip("\n") + ("" if sign[1] == "-" else "\n")
        start, column = row.start + row.column + at, row.column + at
        self.events.append(Event(SCALAR, start, row.line, column, self.starts[number], number, 0, value, "|"))
        while self.at < len(self.rows) and self.rows[self.at].line < number:
            self.at += 1

    # ---- flow ----

    def _flow(self, at: int) -> int:
        """The collection in brackets that starts at an offset; the offset behind it."""
        text, mapping = self.text, self.text[at] == "{"
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            raise NotPlainError
        self.events.append(Event(MAP if mapping else SEQ, at, *self._place(at), 0, 0, 0, flow=True))
        at = self._gap(at + 1)
        while text[at] != ("}" if mapping else "]"):
            if mapping:
                at = self._flow_scalar(at)
                colon = _COLON.match(text, at)
                if colon is None:
                    raise NotPlainError
                at = self._gap(colon.end())
            at = self._flow(at) if text[at] in "{[" else self._flow_scalar(at)
            at = self._gap(at)
            if text[at] == ",":
                at = self._gap(at + 1)
            elif text[at] not in "}]":
                raise NotPlainError
        self.events.append(Event(END, 0, 0, 0, at + 1, *self._place(at + 1)))
        self.depth -= 1
        return at + 1

    def _flow_scalar(self, at: int) -> int:
        quoted = _QUOTED.match(self.text, at)
        found = quoted or _FLOW_PLAIN.match(self.text, at)
        if found is None or len(found[0]) > _MOST_KEY:
            raise NotPlainError
        word = found[0] if quoted else found[0].rstrip(" ")
        (line, column), end = self._place(at), at + len(word)
        value, style = (_unquoted(word), word[0]) if quoted else (word, "")
        self.events.append(Event(SCALAR, at, line, column, end, line, column + len(word), value, style, plain=not style))
        return end

    def _gap(self, at: int) -> int:
        """The offset of the next character that is no space."""
        gap = _GAP.match(self.text, at)
        if gap is None or gap.end() == len(self.text):
            raise NotPlainError
        return gap.end()

    # ---- events ----

    def _open(self, kind: str, row: _Row) -> None:
        self.events.append(Event(kind, row.start + row.column, row.line, row.column, 0, 0, 0))

    def _scalar(self, row: _Row, start: int, end: int, value: str, style: str) -> None:
        line, column, offset = row.line, row.column, row.start + row.column
        self.events.append(
            Event(SCALAR, offset + start, line, column + start, offset + end, line, column + end, value, style, plain=not style)
        )

    def _place(self, at: int) -> tuple[int, int]:
        """(line, column) of an offset."""
        line = bisect_right(self.starts, at) - 1
        return line, at - self.starts[line]


_CLOSE = Event(END, 0, 0, 0, 0, 0, 0)
"""The end of a block collection."""


def _unquoted(word: str) -> str:
    """What a text in quotes says."""
    if word[0] == "'":
        return word[1:-1].replace("''", "'")
    if "\\" not in word:
        return word[1:-1]
    if not _ESCAPES.fullmatch(word):
        raise NotPlainError
    import json

    value: str = json.loads(word)
    return value
