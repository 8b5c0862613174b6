"""What stands where in a document: its events as a tree with offsets. JSON is read the same way."""

from __future__ import annotations

import re

from meshcheck.load.events import ALIAS, END, MAP, SEQ, Event, NotYamlError, events

__all__ = ["ALIAS", "MAP", "SEQ", "CannotEditError", "Node", "Tree"]


class CannotEditError(Exception):
    """The text cannot be changed safely; `line` (counted from 1 in the document, 0: unknown) is where the trouble stands."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


class Node:
    """A value in the text, from `start` (with its anchor and tag) to `end`: the end of what it says, before its line's end."""

    __slots__ = ("anchor", "body", "end", "flow", "items", "kind", "start", "style", "tag", "value")

    def __init__(self, event: Event) -> None:
        self.kind, self.start, self.end = event.kind, event.start, event.end
        self.body = event.start
        """Where the first entry of a block collection begins, behind anchor and tag."""
        self.flow, self.anchor, self.tag, self.value = event.flow, event.anchor, event.tag, event.value
        self.style = event.style
        """Of a scalar: the sign it starts with (a quote, `|`, `>`), or empty."""
        self.items: list[tuple[Node | None, Node]] = []
        """(key, value) of a mapping, (None, item) of a sequence."""

    @property
    def block(self) -> bool:
        """Whether this is a collection written in lines."""
        return self.kind in (MAP, SEQ) and not self.flow


class Tree:
    """A document's nodes, and what has been asked about its text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.aliases: dict[str, int] = {}
        """Anchor → offset of an alias of it."""
        self.root = self._read()

    def _read(self) -> Node:
        try:
            found = events(self.text)
        except NotYamlError:
            raise CannotEditError("its places cannot be found: the text is not plain YAML") from None
        root: Node | None = None
        stack: list[Node] = []
        keys: list[Node | None] = []
        for event in found:
            if event.kind == END:
                node = stack.pop()
                keys.pop()
                node.end = event.end if node.flow else node.items[-1][1].end
                if node.block:
                    first_key, _ = node.items[0]
                    node.body = first_key.start if first_key is not None else self._first_dash(node)
            elif event.kind in (MAP, SEQ):
                stack.append(Node(event))
                keys.append(None)
                continue
            else:
                node = Node(event)
                if node.style in ("|", ">"):
                    node.end = self._end_of_lines(node)
                elif event.kind == ALIAS:
                    self.aliases.setdefault(event.anchor or "", event.start)
            if not stack:
                root = node
            elif stack[-1].kind == SEQ:
                stack[-1].items.append((None, node))
            elif keys[-1] is None:
                keys[-1] = node
            else:
                stack[-1].items.append((keys[-1], node))
                keys[-1] = None
        if root is None:
            raise CannotEditError("the document is empty")
        return root

    def _end_of_lines(self, node: Node) -> int:
        """The end of the last line of a block of text; blank lines behind it belong to what follows, unless it keeps them."""
        header = self.text[node.start : self.line_end(node.start)].partition("#")[0]
        text = self.text[node.start : node.end]
        if "+" in header:
            return node.end - (2 if text.endswith("\r\n") else 1 if text.endswith("\n") else 0)
        return node.start + len(text.rstrip("\r\n ")) if text.strip() else node.end

    def _first_dash(self, node: Node) -> int:
        """The dash of a sequence's first item, behind anchor and tag."""
        found = re.compile(r"(?:[&!][^\s]*(?:[ \t]+|(?=[\r\n])))*(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*").match(self.text, node.start)
        return found.end() if found and self.text[found.end() : found.end() + 1] == "-" else node.start

    # ---- lines ----

    def line_start(self, at: int) -> int:
        """The offset of the first character of the line."""
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """The offset of the line's end: that of its line break, or the end of the text."""
        found = self.text.find("\n", at)
        if found < 0:
            return len(self.text)
        return found - 1 if found > at and self.text[found - 1] == "\r" else found

    def next_line(self, at: int) -> int:
        """The offset of the first character of the next line, or the end of the text."""
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found + 1

    def column(self, at: int) -> int:
        """Characters of the line before an offset."""
        return at - self.line_start(at)

    def line(self, at: int) -> int:
        """The line of an offset, counted from 1."""
        return self.text.count("\n", 0, at) + 1

    def prefix(self, at: int) -> str:
        """The white space that the line of an offset starts with."""
        start = self.line_start(at)
        return self.text[start : start + len(self.text[start:at]) - len(self.text[start:at].lstrip(" \t"))]

    def dash(self, node: Node, number: int) -> int:
        """The offset of the dash of an item of a block sequence."""
        if number == 0:
            return node.body
        column, at = self.column(node.body), self.next_line(node.items[number - 1][1].end)
        while at < len(self.text):
            end = self.line_end(at)
            if self.text[at : at + column].strip(" ") == "" and self.text[at + column : at + column + 1] == "-" and at + column < end:
                return at + column
            at = self.next_line(at)
        raise CannotEditError("the dash of an item cannot be found", self.line(node.items[number][1].start))

    def colon(self, key: Node) -> int:
        """The offset behind the colon of an entry's key."""
        found = re.compile(r"[ \t]*:").match(self.text, key.end)
        if found is None:
            raise CannotEditError("a key that is written with `?` cannot be changed", self.line(key.start))
        return found.end()
