"""YAML as kubectl reads it; the table is what Go's sigs.k8s.io/yaml makes of each scalar."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshcheck.errors import UnreadableError
from meshcheck.load import exact_yaml, fast_yaml
from meshcheck.load.scalars import scalar
from meshcheck.load.split import split

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True), ("on", True), ("y", True), ("True", True), ("no", False), ("off", False), ("N", False), ("false", False),
        ("~", None), ("null", None), ("", None), ("nUll", "nUll"), ("012", 10), ("-012", -10), ("0o14", 12), ("0x1F", 31), ("0b101", 5),
        ("1_000", 1000), ("08", 8), ("1:30", "1:30"), ("1e3", 1000), ("1.0", 1), ("1.10", 1.1), (".5", 0.5), ("+12", 12),
        ("2020-01-01", "2020-01-01"), ("1.2.3", "1.2.3"), ("10.0.0.1", "10.0.0.1"), ("0.0.0.0/0", "0.0.0.0/0"), ("=", "="), ("-", "-"),
    ],
)  # fmt: skip
def test_plain_scalars(text: str, value: Any) -> None:
    read = scalar(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n: 1", {"false": 1}), ("on: 1", {"true": 1}), ("8080: a", {"8080": "a"}), ("'y': 'n'", {"y": "n"}),
        ("a: 1\na: 2", {"a": 2}), ("p: &b {k: v}\nq: *b", {"p": {"k": "v"}, "q": {"k": "v"}}),
        ("b: &b {k: v}\nq:\n  <<: *b\n  z: w", {"b": {"k": "v"}, "q": {"k": "v", "z": "w"}}),
        ("a: !!str 012", {"a": "012"}), ("a: |\n  yes\n  no\n", {"a": "yes\nno\n"}), ("a: {b: [yes,no]}", {"a": {"b": [True, False]}}),
        ("a: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
    ],
)  # fmt: skip
def test_documents(text: str, value: Any) -> None:
    assert exact_yaml.read(text) == value


@pytest.mark.parametrize("text", ["a:\n\tb: 1", "a: [1", "a: *nobody", "? [x]\n: y", "a: .inf", "~: 1", "a: \x00", "a: b: c"])
def test_broken_documents_say_why(text: str) -> None:
    with pytest.raises(UnreadableError):
        exact_yaml.read(text)


def test_alias_bomb_and_depth_end_quickly() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    with pytest.raises(UnreadableError, match="aliases make the document larger"):
        exact_yaml.read(bomb)
    for deep in (
        "[" * 10_000 + "]" * 10_000,
        "- " * 10_000 + "a",
        "-  " * 10_000 + "a",
        "\n".join(" " * n + "a:" for n in range(1000)),
        "{a: " * 10_000,
    ):
        assert not fast_yaml.may_read(deep)
        with pytest.raises(UnreadableError):
            exact_yaml.read(deep)


def kinds(value: Any) -> Any:
    """The types inside a value: 1 and True and 1.0 are equal, and not alike."""
    if isinstance(value, dict):
        return {key: kinds(item) for key, item in value.items()}
    return [kinds(item) for item in value] if isinstance(value, list) else type(value)


def outcome(read: Any, text: str) -> Any:
    try:
        value = read(text)
    except UnreadableError:
        return "unreadable"
    return value, kinds(value)


def test_fast_and_exact_reader_read_alike_whatever_we_have() -> None:
    files = [*REPOSITORY.glob("manifests/**/*.yaml"), *(REPOSITORY.parent / "shared").glob("real/**/*.yaml")]
    assert len(files) > 40
    fast = 0
    for file in files:
        for _, _, part in split(file.read_text(errors="replace")):
            if fast_yaml.may_read(part):
                fast += 1
                assert outcome(fast_yaml.read, part) == outcome(exact_yaml.read, part), file
    assert fast > 200


WORDS = st.sampled_from(
    ["yes", "no", "on", "012", "0o14", "1:30", "1_0", "1e3", "1.0", "~", "a", "b-c", "x y", "8080", "-1", "true", "null", "=", "<<", "y"]
)
SCALARS = st.one_of(WORDS, WORDS.map(lambda w: f'"{w}"'), WORDS.map(lambda w: f"'{w}'"), st.integers(-5, 10**6).map(str))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(SCALARS, st.one_of(SCALARS, st.lists(SCALARS, max_size=3).map(lambda x: "[" + ", ".join(x) + "]"))), max_size=5))
def test_fast_and_exact_reader_read_alike_whatever_is_written(pairs: list[tuple[str, str]]) -> None:
    text = "\n".join(f"{key}: {value}" for key, value in pairs)
    if fast_yaml.may_read(text):
        assert outcome(fast_yaml.read, text) == outcome(exact_yaml.read, text)


def test_documents_are_split_at_lines_of_dashes() -> None:
    parts = [
        (line, re.sub(r"\s+", " ", text).strip()) for _, line, text in split("a: 1\n---\n# only a comment\n--- {b: 2}\n---   \nc: |\n  x\n")
    ]
    assert [text for _, text in parts] == ["a: 1", "# only a comment", "{b: 2}", "c: | x"]
    assert parts[-1][0] == 6
