"""The quick look for keys that stand twice misses none that the exact reader sees."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshcheck.errors import UnreadableError
from meshcheck.load import exact_yaml, fast_yaml
from meshcheck.load.read import Reading
from meshcheck.load.repeated_keys import has_all_keys, may_repeat_keys
from meshcheck.load.split import split

SCENARIOS = Path(__file__).resolve().parents[2] / "manifests/scenarios"
KEYS = ("a", "b", '"a"', "'b'", "a.b/c", "'it''s'", '"a" ', "b ", "-k", '"\\x61"')
SCALARS = (
    "1",
    "text",
    '"quoted: a"',
    "'it''s'",
    "|\n{i}  a: 1\n{i}  b: 2",
    '"on\n{i}a: more"',
    "{{a: 1, b: 2}}",
    "[a, {{b: 1}}]",
    "[{{a: 1}}, {{a: 2}}]",
)


def _exactly(text: str) -> list[tuple[int, str]] | None:
    """Keys that stand twice; None where the text cannot be read."""
    duplicates: list[tuple[int, str]] = []
    try:
        exact_yaml.read(text, duplicates)
    except UnreadableError:
        return None
    return duplicates


@st.composite
def _block(draw: st.DrawFn, indent: int = 0, depth: int = 0) -> str:
    """A block mapping or list, with keys from few names."""
    space, out = " " * indent, []
    as_list = depth > 0 and draw(st.booleans())
    for _ in range(draw(st.integers(1, 4))):
        start = f"{space}- " if as_list else space
        if draw(st.integers(0, 5)) == 0:
            out.append(f"{space}# a: comment\n")
        nested = depth < 3 and draw(st.booleans())
        if as_list and draw(st.booleans()):
            body = draw(_block(indent + 2, depth + 1)) if nested else f"{space}  {draw(st.sampled_from(KEYS))}: 1\n"
            out.append(start + body[indent + 2 :])
        elif as_list:
            out.append(f"{start}{draw(st.sampled_from(SCALARS[:4]))}\n")
        elif nested:
            gap = draw(st.sampled_from((0, 1, 2, 4)))
            inner = draw(_block(indent + gap, depth + 1))
            out.append(f"{start}{draw(st.sampled_from(KEYS))}:\n{inner}")
        else:
            out.append(f"{start}{draw(st.sampled_from(KEYS))}: {draw(st.sampled_from(SCALARS)).format(i=space)}\n")
    return "".join(out)


@given(_block())
@settings(max_examples=400, deadline=None)
def test_none_is_missed_in_random_texts(text: str) -> None:
    """Texts in many layouts, of keys from few names."""
    found = _exactly(text)
    if found:
        assert may_repeat_keys(text), (found, text)
        assert not (fast_yaml.may_read(text) and has_all_keys(text, fast_yaml.read(text))), (found, text)


@pytest.mark.parametrize("seed", range(40))
def test_none_is_missed_when_lines_of_manifests_are_repeated(seed: int) -> None:
    """Real manifests with a line written twice, or moved."""
    chance = random.Random(seed)
    path = chance.choice(sorted(SCENARIOS.glob("*/manifests.yaml")))
    checked = 0
    for _, _, part in split(path.read_text(encoding="utf-8")):
        lines = part.splitlines(keepends=True)
        for _ in range(12):
            changed = list(lines)
            changed.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
            text = "".join(changed)
            if _exactly(text):
                checked += 1
                assert may_repeat_keys(text), text
                assert not (fast_yaml.may_read(text) and has_all_keys(text, fast_yaml.read(text))), text
    assert checked, "no change made a key stand twice: the test tests nothing"


def test_most_manifests_are_read_quickly() -> None:
    """The look is worth its while: what has no repeated key is seldom suspected."""
    parts = [part for path in SCENARIOS.glob("*/manifests.yaml") for _, _, part in split(path.read_text(encoding="utf-8"))]
    assert sum(may_repeat_keys(part) for part in parts) < len(parts) / 4
    plain = [part for part in parts if fast_yaml.may_read(part)]
    assert sum(has_all_keys(part, fast_yaml.read(part)) for part in plain) > len(parts) / 2


def test_an_exact_reading_sees_them() -> None:
    """With the line of the later one."""
    reading = Reading(exact=True)
    reading.add_text("a.yaml", "apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  name: b\n")
    assert [(place.line, key) for place, key in reading.duplicate_keys] == [(5, "name")]
