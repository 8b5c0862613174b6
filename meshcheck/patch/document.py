"""One document: step after step, and the proof that the new text reads as the patched value."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from meshcheck.errors import UnreadableError
from meshcheck.load import fast_yaml, json_text
from meshcheck.model import json_patch
from meshcheck.model.json_patch import Step
from meshcheck.model.objects import Path
from meshcheck.patch import block, flow
from meshcheck.patch.layout import Layout, flow_of, layout_of, lines_of
from meshcheck.patch.tree import ALIAS, MAP, SEQ, CannotEditError, Node, Tree

__all__ = ["CannotEditError", "edited", "is_json", "reads_as", "written"]


def edited(text: str, steps: Iterable[Step], inside: Path = ()) -> str:
    """The text of a document after a JSON Patch of the object at `inside`.

    Raises CannotEditError where that cannot be done safely, with the line in the document, and PatchError where a step does not fit.
    """
    steps = [{**step, "path": json_patch.pointer(inside) + str(step.get("path", ""))} for step in steps]
    old = _value(text)
    wanted = json_patch.applied(old, steps)
    now, out = old, text
    for step in steps:
        if step["op"] != "test":
            after = json_patch.applied(now, [step])
            for small in json_patch.difference(now, after) if step["op"] == "replace" or _replaces(now, step) else [step]:
                next_value = json_patch.applied(now, [small])
                out = _one(out, small, now, next_value)
                now = next_value
    if not reads_as(out, wanted):
        raise CannotEditError("the edited text would not read as the patched object: the place is written in a way that is not understood")
    return out


def reads_as(text: str, wanted: Any) -> bool:
    """Whether a document reads as exactly this value."""
    try:
        return json_patch.same(_value(text), wanted)
    except CannotEditError:
        return False


def is_json(text: str) -> bool:
    """Whether a document is JSON."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def written(value: dict[str, Any], like: str) -> str:
    """A new document in the layout of another (empty: YAML with two spaces), ending in a line end."""
    layout = Layout()
    if like.strip():
        try:
            layout = layout_of(Tree(like), is_json(like))
        except CannotEditError:
            layout = Layout()
    if layout.json:
        return flow_of(value, layout) + "\n"
    return "\n".join(lines_of(value, layout)) + "\n"


def _value(text: str) -> Any:
    try:
        if text.lstrip()[:1] in ("{", "["):
            try:
                values = json_text.read(text)
                if len(values) == 1:
                    return values[0][2]
            except (ValueError, RecursionError):
                pass
        if fast_yaml.may_read(text):
            return fast_yaml.read(text)
        from meshcheck.load import exact_yaml

        return exact_yaml.read(text)
    except UnreadableError as error:
        raise CannotEditError(f"the text cannot be read: {error}") from None


def _replaces(value: Any, step: Step) -> bool:
    """Whether an `add` takes the place of an entry that is there."""
    path = json_patch.path_in(value, step["path"])
    return step["op"] == "add" and bool(path) and isinstance(path[-1], str) and path[-1] in json_patch.at(value, path[:-1])


def _one(text: str, step: Step, before: Any, after: Any) -> str:
    """The text after one step of `add`, `replace` or `remove`."""
    tree = Tree(text)
    layout = layout_of(tree, is_json(text))
    path = json_patch.path_in(before, step["path"])
    if not path:
        raise CannotEditError("the whole document would be another")
    trail: list[tuple[Node, int]] = []
    node = tree.root
    for depth, key in enumerate(path):
        _require_own(tree, node, path[:depth])
        if node.kind == ALIAS:  # a copy in place of the alias, with the change in it
            return _set(tree, layout, trail, json_patch.at(after, path[:depth]))
        last = depth == len(path) - 1
        number = _find(node, key)
        if last and step["op"] == "add" and node.kind == SEQ:
            return _with_item(tree, layout, trail, node, int(key), step["value"])
        if number is None:
            if node.kind != MAP or (last and step["op"] == "remove"):
                raise CannotEditError(f"`{key}` comes from `<<`, which others may share", tree.line(node.start))
            return _with_entry(tree, layout, trail, node, str(key), json_patch.at(after, path[: depth + 1]))
        if last and step["op"] == "remove":
            _require_own(tree, node.items[number][1], path)
            return _without(tree, layout, trail, node, number)
        trail.append((node, number))
        node = node.items[number][1]
    _require_own(tree, node, path)
    return _set(tree, layout, trail, step["value"])


def _require_own(tree: Tree, node: Node, path: Path) -> None:
    """What an alias elsewhere repeats must stay as it is."""
    if node.anchor is not None and node.kind != ALIAS and node.anchor in tree.aliases:
        line = tree.line(tree.aliases[node.anchor])
        raise CannotEditError(f"`&{node.anchor}` is used again at line {line} of the document: a change here would change that, too", line)


def _find(node: Node, key: str | int) -> int | None:
    if node.kind == SEQ:
        return int(key)
    return next((n for n in range(len(node.items) - 1, -1, -1) if _is(node.items[n][0], key)), None)


def _is(node: Node | None, key: str | int) -> bool:
    if node is None:
        return False
    if node.value == key and not (node.value == "<<" and not node.style):
        return True
    if node.style:
        return False
    from meshcheck.load.scalars import key_of, resolved

    try:
        return key_of(resolved(node.value)) == key
    except UnreadableError:
        return False


# ---- the four changes, in lines or in brackets ----


def _set(tree: Tree, layout: Layout, trail: list[tuple[Node, int]], new: Any) -> str:
    if not trail:
        raise CannotEditError("the whole document would be another")
    parent, number = trail[-1]
    if parent.block:
        return block.with_value(tree, layout, parent, number, new)
    old = parent.items[number][1]
    return tree.text[: old.start] + flow.value_text(tree, layout, old, new) + tree.text[old.end :]


def _with_entry(tree: Tree, layout: Layout, trail: list[tuple[Node, int]], node: Node, key: str, new: Any) -> str:
    if node.block:
        return block.with_entry(tree, layout, node, key, new)
    if not node.items and trail and trail[-1][0].block and not layout.json:
        return _set(tree, layout, trail, {key: new})
    return flow.with_entry(tree, layout, node, key, new)


def _with_item(tree: Tree, layout: Layout, trail: list[tuple[Node, int]], node: Node, number: int, new: Any) -> str:
    if node.block:
        return block.with_item(tree, layout, node, number, new)
    return flow.with_item(tree, layout, node, number, new)


def _without(tree: Tree, layout: Layout, trail: list[tuple[Node, int]], node: Node, number: int) -> str:
    if len(node.items) == 1:
        return _set(tree, layout, trail, {} if node.kind == MAP else [])
    return block.without(tree, node, number) if node.block else flow.without(tree, node, number)
