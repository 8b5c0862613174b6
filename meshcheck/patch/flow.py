"""A change in a collection that is written in brackets: JSON, and YAML in flow style."""

from __future__ import annotations

from typing import Any

from meshcheck.patch.layout import Layout, flow_of, quote_of
from meshcheck.patch.scalars import in_json, in_yaml
from meshcheck.patch.tree import MAP, CannotEditError, Node, Tree


def value_text(tree: Tree, layout: Layout, old: Node, new: Any) -> str:
    """What stands in place of a value in brackets."""
    return (" " if old.start == old.end else "") + flow_of(new, layout, tree.prefix(old.start), quote_of(old))


def with_entry(tree: Tree, layout: Layout, node: Node, key: str, new: Any) -> str:
    """The text with one more entry at the end of a mapping."""
    name = (in_json(key) if layout.json else in_yaml(key, flow=True)) + layout.colon
    return _added(tree, layout, node, len(node.items), lambda prefix: name + flow_of(new, layout, prefix))


def with_item(tree: Tree, layout: Layout, node: Node, number: int, new: Any) -> str:
    """The text with one more item in a sequence."""
    return _added(tree, layout, node, number, lambda prefix: flow_of(new, layout, prefix, quote_of(node)))


def _added(tree: Tree, layout: Layout, node: Node, number: int, written: Any) -> str:
    text = tree.text
    if not node.items:
        opening = text.rindex("{" if node.kind == MAP else "[", node.start, node.end)
        prefix = tree.prefix(node.start)
        deeper = prefix + layout.unit
        if layout.unit:
            body = f"{layout.newline}{deeper}{written(deeper)}{layout.newline}{prefix}"
        else:
            body = written("")
        return f"{text[: opening + 1]}{body}{text[node.end - 1 :]}"
    if number < len(node.items):
        at = _start(node, number)
        prefix = tree.prefix(at)
        own_line = text[tree.line_start(at) : at] == prefix
        gap = f",{layout.newline}{prefix}" if own_line else layout.comma
        return f"{text[:at]}{written(prefix)}{gap}{text[at:]}"
    last = node.items[-1][1].end
    at = _start(node, number - 1)
    prefix = tree.prefix(at)
    if text[tree.line_start(at) : at] != prefix:
        return f"{text[:last]}{layout.comma}{written(prefix)}{text[last:]}"
    rest = text[last : tree.line_end(last)]
    if rest.strip() and not rest.lstrip(" \t,").startswith("#"):
        return f"{text[:last]},{layout.newline}{prefix}{written(prefix)}{text[last:]}"
    if rest.lstrip().startswith(","):  # a comma behind the last item stays the last
        end = last + len(rest)
        return f"{text[:end]}{layout.newline}{prefix}{written(prefix)},{text[end:]}"
    end = last + len(rest)
    return f"{text[:last]},{rest}{layout.newline}{prefix}{written(prefix)}{text[end:]}"


def without(tree: Tree, node: Node, number: int) -> str:
    """The text without an entry or item; the collection has others."""
    text = tree.text
    if number:
        start, end = node.items[number - 1][1].end, node.items[number][1].end
    else:
        start, end = _start(node, 0), _start(node, 1)
    if not _bare(tree, node, number):
        raise CannotEditError("a comment stands beside what would have to go", tree.line(start))
    return text[:start] + text[end:]


def _bare(tree: Tree, node: Node, number: int) -> bool:
    """Whether only white space and a comma stand between an item and the one beside it."""
    left, right = (number - 1, number) if number else (0, 1)
    return not tree.text[node.items[left][1].end : _start(node, right)].strip(" \t\r\n,")


def _start(node: Node, number: int) -> int:
    key, item = node.items[number]
    return key.start if key is not None else item.start
