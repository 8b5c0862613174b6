"""Random texts in many styles and random patches: the edited text reads as exactly the patched value, or nothing is changed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from meshcheck.errors import UnreadableError
from meshcheck.load import exact_yaml
from meshcheck.model import json_patch
from meshcheck.patch import document
from meshcheck.patch.document import CannotEditError

WORDS = st.sampled_from(
    ["a", "b", "app", "spec", "GET", "yes", "off", "1", "0x1f", "1:30", "null", "~", "", " lead", "it's", 'q"', "a: b", "x # y", "*", "&a",
     "/api/*", "-", "- a", "é", "日本", "😀", "two\nlines\n", "no end\nhere", "tab\there", "10.0.0.0/8", "2001-01-01", "{x}", "[y]", "a,b"]
)  # fmt: skip
KEYS = st.sampled_from(["a", "b", "spec", "from", "to", "app.kubernetes.io/name", "on", "1", "x y"])
SCALARS = st.one_of(WORDS, st.integers(-5, 99999), st.booleans(), st.none())
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)
OBJECTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


class Writer:
    """Writes a value as YAML, with a choice of style at each node: lines or brackets, quotes, comments, blank lines, indentation."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.dash = draw(st.sampled_from([0, 2, 4]))
        self.step = draw(st.sampled_from([2, 3, 4]))

    def scalar(self, value: Any, flow: bool = False) -> str:
        if not isinstance(value, str):
            return self.draw(st.sampled_from(["", "~", "null"])) if value is None and not flow else json.dumps(value)
        choice = self.draw(st.integers(0, 2))
        if choice == 0 and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        if choice == 1 and value.isalpha() and value.isascii() and value not in ("yes", "off", "null", "on"):
            return value
        return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\x{ord(c):02x}" for c in value) + '"'

    def comment(self) -> str:
        return self.draw(st.sampled_from(["", "", "", " # why", "  # a: b - c"]))

    def above(self, pad: str) -> list[str]:
        return self.draw(st.sampled_from([[], [], [], [""], [pad + "# - above: it"], ["", pad + "# x"]]))

    def flow(self, value: Any) -> str:
        space = self.draw(st.sampled_from(["", " "]))
        if isinstance(value, dict):
            return "{" + space + ", ".join(f"{self.scalar(k, True)}: {self.flow(v)}" for k, v in value.items()) + space + "}"
        if isinstance(value, list):
            return "[" + space + f",{space}".join(self.flow(v) for v in value) + space + "]"
        return self.scalar(value, True)

    def lines(self, value: Any, pad: str) -> list[str]:
        """Lines of a collection, the first without `pad` in front."""
        out: list[str] = []
        for number, item in enumerate(value.items() if isinstance(value, dict) else value):
            if number:
                out += self.above(pad)
            front = pad if number else ""
            if isinstance(value, dict):
                key, inner = item
                head, deep = f"{self.scalar(key, True)}:", pad + " " * (self.step if not isinstance(inner, list) else self.dash)
            else:
                inner, head, deep = item, "-", pad + "  "
            if isinstance(inner, (dict, list)) and inner and self.draw(st.integers(0, 3)):
                body = self.lines(inner, deep)
                if isinstance(value, list) and self.draw(st.booleans()):
                    out += [f"{front}{head} {body[0]}", *body[1:]]
                else:
                    out += [front + head + self.comment(), *self.above(deep), deep + body[0], *body[1:]]
            elif isinstance(inner, (dict, list)):
                out.append(f"{front}{head} {self.flow(inner)}{self.comment()}")
            elif isinstance(inner, str) and inner.endswith("here") and "\t" not in inner:
                out += [f"{front}{head} |-", *(pad + "     " + line for line in inner.split("\n"))]
            elif isinstance(inner, str) and inner.endswith("lines\n"):
                out += [f"{front}{head} |", *(pad + "    " + line for line in inner[:-1].split("\n"))]
            else:
                out.append(f"{front}{head} {self.scalar(inner)}{self.comment()}".rstrip())
        return out


@st.composite
def texts(draw: Any) -> tuple[str, dict[str, Any]]:
    value = draw(OBJECTS)
    style = draw(st.integers(0, 5))
    if style == 0:
        return json.dumps(value, indent=draw(st.sampled_from([None, 2, "\t"])), ensure_ascii=draw(st.booleans())) + "\n", value
    if style == 1:
        return Writer(draw).flow(value) + "\n", value
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    lines = [*draw(st.sampled_from([[], ["# top"], [""]])), *Writer(draw).lines(value, "")]
    return newline.join(lines) + draw(st.sampled_from([newline, newline, ""])), value


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in _paths(item, (*path, key)))]


@st.composite
def patches(draw: Any, value: Any) -> list[json_patch.Step]:
    steps: list[json_patch.Step] = []
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_paths(value)))
        here = json_patch.at(value, path)
        choices = ["replace", "remove"] if path else []
        if isinstance(here, (dict, list)):
            choices.append("add")
        if not choices:
            continue
        operation = draw(st.sampled_from(choices))
        step: dict[str, Any] = {"op": operation}
        if operation == "add":
            last = draw(KEYS) if isinstance(here, dict) else draw(st.integers(0, len(here)))
            path = (*path, last)
        step["path"] = json_patch.pointer(path)
        if operation != "remove":
            step["value"] = draw(VALUES)
        steps.append(step)
        value = json_patch.applied(value, [step])
    return steps


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_an_edited_text_reads_as_the_patched_value(data: st.DataObject) -> None:
    text, value = data.draw(texts())
    try:
        if not json_patch.same(document._value(text), value):
            event("the text does not say what was meant")
            return
    except CannotEditError:
        event("the text cannot be read")
        return
    steps = data.draw(patches(value))
    try:
        out = document.edited(text, steps)
    except CannotEditError as error:
        event(f"refused: {error}")
        return
    event("edited")
    read = json.loads(out) if document.is_json(out) else exact_yaml.read(out)
    assert json_patch.same(read, json_patch.applied(value, steps))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_what_a_patch_does_not_touch_stays_byte_for_byte(data: st.DataObject) -> None:
    """A new entry leaves each line that was there as it was, in lines of block style."""
    value = data.draw(OBJECTS)
    text = "\n".join(Writer(data.draw).lines(value, "")) + "\n"
    try:
        if not json_patch.same(exact_yaml.read(text), value):
            return
    except UnreadableError:
        return
    new = data.draw(VALUES)
    out = document.edited(text, [{"op": "add", "path": "/new", "value": new}])
    assert out.startswith(text)
    assert document.edited(out, [{"op": "remove", "path": "/new"}]) == text
