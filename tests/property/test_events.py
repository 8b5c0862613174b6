"""The events of documents in plain words are libyaml's, place by place; what is not understood is refused, not guessed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from meshcheck.load import plain_events
from meshcheck.load.events import DOCUMENT, END, MAP, SCALAR, SEQ, Event, NotYamlError, events, libyaml_events
from meshcheck.load.split import split

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(file for folder in ("manifests", "tests", "charts") for file in (ROOT / folder).rglob("*.y*ml"))
SHARED = ROOT.parent / "shared" / "real"
NOISE = [
    " ",
    "  ",
    "\n",
    "-",
    "- ",
    ":",
    ": ",
    "#",
    " #",
    "'",
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    "|",
    "|-",
    ">",
    "&a",
    "*a",
    "!",
    "? ",
    "\\",
    "\t",
]
NOISE += ["é", "a", "1", "%", "---", "...", "<<"]


def _libyaml(text: str) -> list[Event] | None:
    """The same from libyaml; None where it refuses."""
    try:
        return [event for event in libyaml_events(text) if event.kind != DOCUMENT]
    except (yaml.YAMLError, ValueError):
        return None


def _said(found: list[Event]) -> list[tuple[Any, ...]]:
    """What an event promises: ends only of scalars and flow collections."""
    out: list[tuple[Any, ...]] = []
    open_: list[bool] = []
    for event in found:
        start: Any = (event.start, event.line, event.column) if event.kind != END else None
        end: Any = (event.end, event.end_line, event.end_column) if event.kind == SCALAR else None
        if event.kind in (MAP, SEQ):
            open_.append(event.flow)
        elif event.kind == END and open_.pop():
            end = event.end, event.end_line, event.end_column
        out.append((event.kind, start, end, event.value, event.style, event.flow, event.anchor, event.tag, event.plain))
    return out


def _agrees(text: str) -> bool:
    """Whether the text was understood; fails where it was understood wrongly."""
    try:
        ours = plain_events.events(text)
    except plain_events.NotPlainError:
        return False
    theirs = _libyaml(text)
    assert theirs is not None, f"libyaml refuses it:\n{text}"
    assert _said(ours) == _said(theirs), text
    return True


def test_manifests() -> None:
    """Every document of the repository, and the real manifests beside it where they are; nearly all are in plain words."""
    files = FILES + sorted(SHARED.rglob("*.y*ml"))
    understood = [_agrees(part) for file in files for _, _, part in split(file.read_text(encoding="utf-8", errors="replace"))]
    assert len(understood) > 1000
    assert sum(understood) > 0.9 * len(understood), f"{sum(understood)} of {len(understood)}"


@pytest.mark.parametrize("seed", range(40))
def test_damaged_manifests(seed: int) -> None:
    """Real documents with signs put in, taken out, and lines moved."""
    chance = random.Random(seed)
    for _ in range(8):
        parts = [part for _, _, part in split(chance.choice(FILES).read_text(encoding="utf-8", errors="replace"))]
        text = chance.choice(parts)[:3000]
        for _ in range(25):
            at = chance.randrange(len(text) + 1)
            how = chance.randrange(4)
            if how == 0:
                changed = text[:at] + chance.choice(NOISE) + text[at:]
            elif how == 1:
                changed = text[:at] + text[at + chance.randrange(1, 4) :]
            elif how == 2:
                changed = text[:at] + chance.choice(NOISE) + text[at + 1 :]
            else:
                lines = text.split("\n")
                lines.insert(chance.randrange(len(lines) + 1), " " * chance.randrange(6) + chance.choice(lines).strip())
                changed = "\n".join(lines)
            _agrees(changed)


WORDS = ["a", "b1", "8080", "a.b/c", "x: y", "-1", "- a", "--flag", "it's", '"q"', "'s'", "'it''s'", '"a\\nb"', '"\\x41"', "http://a:80/b"]
WORDS += ["a #b", "a# b", "a:", ":a", "?a", "? a", "~", "", "&a b", "*a", "!x y", "<<", "é", "=", "%a", "@a", "`a`", ",a", "]"]
FLOWS = ["{}", "[]", "{a: 1}", "{a: 1, b: [x, y z]}", "[a, 'b', \"c\"]", "[a b,c]", "{a: b: c}", "[a, ]", "[,]", "{a}", "{\n  a: 1\n}"]
FLOWS += ["[\n a,\n b ]", "[a, {b: c}]", "[a:b, c]", "{a:b}", "{a : b}", "[-1, - 2]", "[a?, ?b]", '{"a": 1}', '{"a":1}', "[a]: b", "[a] b"]
BLOCKS = [
    "|\n  x\n  y",
    "|\n    x\n\n    y\n\n",
    "|-\n      x",
    "|+\n      x\n\n",
    ">\n      x",
    "a\n      b",
    "|\n      x\n    # c\n",
    "|2\n      x",
]
KEYS = ["a", "b.c/d", "8", "k k", '"q"', "'q'", "s:t", "-k", "a b"]


@st.composite
def _text(draw: st.DrawFn, indent: int = 0, depth: int = 0) -> str:
    """Lines of mappings and lists with odd values, odd indents and comments."""
    space, out = " " * indent, []
    listed = draw(st.booleans())
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.integers(0, 6)) == 0:
            out.append(draw(st.sampled_from([f"{space}# c\n", "\n", "# a: b\n", "   \n"])))
        start = space + ("- " if listed else draw(st.sampled_from(KEYS)) + ":")
        if depth < 3 and draw(st.integers(0, 2)) == 0:
            gap = draw(st.sampled_from((0, 1, 2, 3)))
            inner = draw(_text(indent + gap, depth + 1))
            out.append(start + (inner.lstrip(" ") if listed and draw(st.booleans()) else "\n" + inner))
        else:
            tail = draw(st.sampled_from(["", "", "", " ", " # c", "#c"]))
            out.append(f"{start}{draw(st.sampled_from([' ', ' ', '  ', '']))}{draw(st.sampled_from(WORDS + FLOWS + BLOCKS))}{tail}\n")
    text = "".join(out)
    return text if depth or draw(st.integers(0, 3)) else text.rstrip("\n")


@given(_text())
@settings(max_examples=1500, deadline=None)
def test_random_texts(text: str) -> None:
    """Texts that are seldom right."""
    _agrees(text)


def test_what_is_not_plain_comes_from_libyaml() -> None:
    """Anchors and aliases; halves of characters in JSON; no YAML; nothing."""
    found = events("a: &x {b: 1}\nc: *x\n")
    assert [event.kind for event in found] == ["map", "scalar", "map", "scalar", "scalar", "end", "scalar", "alias", "end"]
    assert [event.anchor for event in found if event.anchor] == ["x", "x"]
    assert [event.value for event in events('{"a": "\\ud83d"}')] == ["", "a", "\ufffd", ""]
    assert events("# nothing\n") == []
    with pytest.raises(NotYamlError):
        events("a: [")
