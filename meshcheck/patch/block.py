"""A change in a collection that is written in lines."""

from __future__ import annotations

import re
from typing import Any

from meshcheck.model.pattern import pattern
from meshcheck.patch.layout import Layout, flow_of, lines_of, quote_of
from meshcheck.patch.scalars import as_lines, header_of, in_yaml
from meshcheck.patch.tree import MAP, SEQ, CannotEditError, Node, Tree

_PROPERTIES = pattern(r"(?:[ \t]+[&!][^\s]*)*")


def with_entry(tree: Tree, layout: Layout, node: Node, key: str, new: Any) -> str:
    """The text with one more entry at the end of a mapping."""
    return _behind(tree, layout, node.end, tree.column(node.body), lines_of({key: new}, layout))


def with_item(tree: Tree, layout: Layout, node: Node, number: int, new: Any) -> str:
    """The text with one more item in a sequence: behind the item before it, so that comments stay with what they stand above."""
    column, lines = tree.column(node.body), lines_of([new], layout, quote_of(node))
    if number:
        return _behind(tree, layout, node.items[number - 1][1].end, column, lines)
    shown = _indented(lines, column, layout)
    return f"{tree.text[: node.body]}{shown}{layout.newline}{' ' * column}{tree.text[node.body :]}"


def _behind(tree: Tree, layout: Layout, end: int, column: int, lines: list[str]) -> str:
    """The text with lines behind the line of an offset."""
    text, at = tree.text, tree.next_line(end)
    before = text[:at] if at == 0 or text[at - 1] == "\n" else text[:at] + layout.newline
    return f"{before}{' ' * column}{_indented(lines, column, layout)}{layout.newline}{text[at:]}"


def _indented(lines: list[str], column: int, layout: Layout) -> str:
    return layout.newline.join(line if not number or not line else " " * column + line for number, line in enumerate(lines))


def without(tree: Tree, node: Node, number: int) -> str:
    """The text without an entry or item; the collection has others. Comments on lines of their own stay."""
    text = tree.text
    key, item = node.items[number]
    start = key.start if key is not None else tree.dash(node, number)
    after = tree.next_line(item.end)
    if not text[tree.line_start(start) : start].strip(" "):
        return text[: tree.line_start(start)] + text[after:]
    # The first of a collection that starts behind a dash: what comes next takes its place.
    following = re.compile(r"(?:[ \t]*\r?\n)*[ \t]*").match(text, after)
    return text[:start] + text[following.end() if following else after :]


def with_value(tree: Tree, layout: Layout, parent: Node, number: int, new: Any) -> str:
    """The text with another value of an entry or item."""
    key, old = parent.items[number]
    text = tree.text
    if key is not None:
        sign, column = tree.colon(key), tree.column(key.start)
    else:
        dash = tree.dash(parent, number)
        sign, column = dash + 1, tree.column(dash)
    if old.block:
        return _instead_of_lines(tree, layout, old, sign, column, new, key is None)
    gap = " " if text[old.start - 1 : old.start] in (":", "-") and old.start == sign else ""
    if not isinstance(new, (dict, list)) or not new or (old.kind in (MAP, SEQ) and old.flow):
        return f"{text[: old.start]}{gap}{_inline(tree, layout, old, column, new)}{text[old.end :]}"
    if key is None:
        shown = _indented(lines_of(new, layout), column + 2, layout)
        return f"{text[: old.start]}{gap}{shown}{text[old.end :]}"
    column += layout.dash if isinstance(new, list) else layout.step
    cut = text[: sign + len(text[sign : old.start].rstrip(" \t"))]
    end = tree.line_end(old.end)
    rest = text[old.end : end].rstrip()
    shown = _indented(lines_of(new, layout), column, layout)
    return f"{cut}{rest}{layout.newline}{' ' * column}{shown}{text[end:] or layout.newline}"


def _inline(tree: Tree, layout: Layout, old: Node, column: int, new: Any) -> str:
    """A value in place of one that starts on the line of its key."""
    if isinstance(new, (dict, list)) and new:
        return flow_of(new, layout)
    if isinstance(new, str) and old.style in ("|", ">") and (lines := as_lines(new)) is not None:
        body = tree.next_line(old.start)
        deep = tree.prefix(body + len(tree.text[body : old.end]) - len(tree.text[body : old.end].lstrip()))
        deep = deep if len(deep) > column else " " * (column + layout.step)
        return header_of(new) + "".join(layout.newline + (deep + line if line else "") for line in lines)
    return in_yaml(new, old.style if old.style in ("'", '"') else "")


def _instead_of_lines(tree: Tree, layout: Layout, old: Node, sign: int, column: int, new: Any, item: bool) -> str:
    """A value in place of a collection that is written in lines."""
    text, body = tree.text, old.body
    full = isinstance(new, (dict, list)) and bool(new)
    if tree.line_start(body) == tree.line_start(sign):  # `- a: 1`
        shown = _indented(lines_of(new, layout), tree.column(body), layout) if full else in_yaml(new)
        return text[:body] + shown + text[old.end :]
    start = tree.line_start(body)
    after = tree.next_line(old.end)
    if full:
        wanted = column + 2 if item else column + (layout.step if isinstance(new, dict) else layout.dash)
        shown = _indented(lines_of(new, layout), wanted, layout)
        return f"{text[:start]}{' ' * wanted}{shown}{layout.newline}{text[after:]}"
    found = _PROPERTIES.match(text, sign)
    put = found.end() if found else sign
    if put > start:
        raise CannotEditError("an anchor or a tag stands between the key and its value", tree.line(start))
    return f"{text[:put]} {in_yaml(new)}{text[put:start]}{text[after:]}"
