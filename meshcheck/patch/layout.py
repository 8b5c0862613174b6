"""Values as text, in the layout of the document around them."""

from __future__ import annotations

from typing import Any

from meshcheck.model.record import value
from meshcheck.patch.scalars import as_lines, header_of, in_json, in_yaml
from meshcheck.patch.tree import MAP, SEQ, Node, Tree


@value
class Layout:
    """How a document is written."""

    step: int = 2
    """Columns by which the entries of a mapping stand in from its key."""
    dash: int = 0
    """Columns by which the dashes of a sequence stand in from its key."""
    newline: str = "\n"
    json: bool = False
    """The document is JSON: quotes everywhere, no comments."""
    colon: str = ": "
    comma: str = ", "
    unit: str = ""
    """What a level of JSON is indented by; empty where it stands on one line."""


def layout_of(tree: Tree, is_json: bool) -> Layout:
    """The layout of a document: of its first collections that are nested."""
    text = tree.text
    newline = "\r\n" if "\r\n" in text else "\n"
    if is_json:
        return _of_json(tree, newline)
    steps: list[int] = []
    dashes: list[int] = []
    todo = [tree.root]
    while todo and not (steps and dashes):
        node = todo.pop(0)
        for key, child in node.items:
            todo.append(child)
            if key is None or not node.block or not child.block or tree.line_start(key.start) == tree.line_start(child.body):
                continue
            (steps if child.kind == MAP else dashes).append(tree.column(child.body) - tree.column(key.start))
    return Layout(steps[0] if steps else 2, dashes[0] if dashes else 0, newline)


def _of_json(tree: Tree, newline: str) -> Layout:
    text, root = tree.text, tree.root
    key = root.items[0][0] if root.items else None
    spaced = key is None or text[tree.colon(key) : tree.colon(key) + 1] in (" ", "\n", "\r", "\t")
    first = (key or root.items[0][1]) if root.items else None
    lines = first is not None and tree.line_start(first.start) > root.start
    unit = tree.prefix(first.start)[len(tree.prefix(root.start)) :] if lines and first is not None else ""
    return Layout(newline=newline, json=True, colon=": " if spaced else ":", comma=", " if spaced else ",", unit=unit)


def lines_of(item: Any, layout: Layout, quote: str = "") -> list[str]:
    """A value as lines of block style, the first at column 0."""
    out: list[str] = []
    if isinstance(item, dict) and item:
        for key, inner in item.items():
            name = in_yaml(key)
            if isinstance(inner, str) and "\n" in inner and (text := as_lines(inner)) is not None:
                out += [f"{name}: {header_of(inner)}", *(" " * layout.step + line if line else "" for line in text)]
            elif not isinstance(inner, (dict, list)) or not inner:
                out.append(f"{name}: {in_yaml(inner)}")
            else:
                deep = " " * (layout.step if isinstance(inner, dict) else layout.dash)
                out += [f"{name}:", *(deep + line if line else "" for line in lines_of(inner, layout))]
    elif isinstance(item, list) and item:
        for inner in item:
            first, *more = lines_of(inner, layout, quote)
            out += [f"- {first}", *(f"  {line}" if line else "" for line in more)]
    else:
        out.append(in_yaml(item, quote))
    return out


def flow_of(item: Any, layout: Layout, prefix: str = "", quote: str = "") -> str:
    """A value in brackets: on one line, or, in JSON that is indented, over several, each after the first starting with `prefix`."""
    if not isinstance(item, (dict, list)) or not item:
        return in_json(item) if layout.json else in_yaml(item, quote, flow=True)
    deeper = prefix + layout.unit
    if isinstance(item, dict):
        opening, closing = "{", "}"
        parts = [f"{_key(key, layout)}{layout.colon}{flow_of(inner, layout, deeper)}" for key, inner in item.items()]
    else:
        opening, closing = "[", "]"
        parts = [flow_of(inner, layout, deeper, quote) for inner in item]
    if layout.unit:
        gap = layout.newline
        return f"{opening}{gap}{deeper}{f',{gap}{deeper}'.join(parts)}{gap}{prefix}{closing}"
    return f"{opening}{layout.comma.join(parts)}{closing}"


def _key(key: str, layout: Layout) -> str:
    return in_json(key) if layout.json else in_yaml(key, flow=True)


def quote_of(node: Node) -> str:
    """The quotes that the texts of a sequence have; empty where they have none, or differ."""
    signs = {item.style for _, item in node.items if item.kind not in (MAP, SEQ)} if node.kind == SEQ else {node.style}
    return signs.pop() if len(signs) == 1 and signs <= {'"', "'"} else ""
