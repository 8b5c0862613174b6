"""Both readers read what Go's reader reads, type by type (see go-yaml/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshcheck.errors import UnreadableError
from meshcheck.load import exact_yaml, fast_yaml
from meshcheck.load.split import is_blank, split

REPOSITORY = Path(__file__).resolve().parents[3]
ANSWERS = [json.loads(line) for line in (Path(__file__).parent / "go-yaml" / "answers.jsonl").read_text("utf-8").splitlines()]


def alike(one: Any, other: Any) -> bool:
    """Equal, and of the same types: 1, True and 1.0 are equal and not alike."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    return len(one) == len(other) and all(map(alike, one, other)) if isinstance(one, list) else bool(one == other)


def outcome(read: Any, text: str) -> tuple[bool, Any]:
    """(readable, value); anything but UnreadableError fails the test."""
    try:
        return True, read(text)
    except UnreadableError:
        return False, None


def wrong(read: Any, answers: list[dict[str, Any]]) -> list[Any]:
    found = []
    for answer in answers:
        readable, value = outcome(read, answer["yaml"])
        if readable != ("error" not in answer) or (readable and not alike(value, answer.get("json"))):
            found.append((answer, value))
    return found


def test_the_exact_reader_reads_what_go_reads() -> None:
    """Values, keys, merges, blocks, tags; and it refuses what Go refuses."""
    assert len(ANSWERS) > 1500
    assert wrong(exact_yaml.read, ANSWERS) == []


def test_the_fast_reader_takes_only_what_it_reads_as_go_does() -> None:
    """A fifth even of these corners."""
    taken = [answer for answer in ANSWERS if fast_yaml.may_read(answer["yaml"])]
    assert len(taken) > len(ANSWERS) / 5
    assert wrong(fast_yaml.read, taken) == []


def documents() -> list[str]:
    """Each different YAML document of the repository, and of the vectors beside it where they are."""
    shared = REPOSITORY.parent / "shared"
    files = [*REPOSITORY.glob("manifests/**/*.y*ml"), *REPOSITORY.glob("tests/**/*.y*ml")]
    files += [*shared.glob("real/**/*.y*ml"), *shared.glob("vectors/**/*.yaml")]
    texts = [file.read_text("utf-8", errors="replace") for file in files]
    for file in [*REPOSITORY.glob("tests/conformance/**/*.jsonl"), *shared.glob("vectors/*/*.jsonl")]:
        for line in file.read_text("utf-8").splitlines():
            row = json.loads(line)
            texts += [row[key] for key in ("yaml", "manifests") if isinstance(row.get(key), str)]
    return list({part for text in texts for _, _, part in split(text) if not is_blank(part)})


def test_both_readers_read_alike_whatever_we_have() -> None:
    """All documents that the fast reader may read: four of five."""
    everything = documents()
    taken = [text for text in everything if fast_yaml.may_read(text)]
    assert len(taken) > 0.7 * len(everything)
    for text in taken:
        (readable, value), (exactly, expected) = outcome(fast_yaml.read, text), outcome(exact_yaml.read, text)
        assert readable == exactly, text
        assert alike(value, expected), text


# ---- texts made at random ----

WORDS = [
    *["yes", "No", "on", "y", "~", "null", "true", "TRUE", "012", "0o14", "0x1F", "1_0", "1e3", "1.0", ".5", "-1", "+1", "1:30", "8080"],
    *[
        "10.0.0.1",
        "8080/tcp",
        "100m",
        "1Gi",
        "2020-01-01",
        "a",
        "b-c",
        "x y",
        "a:b",
        "a#b",
        "a,b",
        "--flag",
        "-",
        "=",
        "<<",
        "*.com",
        "http://x:80/",
    ],
    *[
        '"a"',
        "'it''s'",
        '"\\u00e9"',
        "é",
        "''",
        "[]",
        "{}",
        "[a, 8080]",
        "{a: 1, b: yes}",
        "{8080}",
        "[>, x]",
        "# c",
        "a # c",
        "&x v",
        "*x",
    ],
]
KEYS = st.sampled_from(["a", "b", "name", "on", "8080", "1.5", "<<", '"q"', "'s'", "x y", "a.b/c", "~", "-k"])


@st.composite
def blocks(draw: st.DrawFn, indent: int = 0, depth: int = 0) -> str:
    """A block of YAML as it stands behind a key or a dash: mostly right, and not always."""
    pad = " " * indent
    shape = draw(st.integers(0, 9)) if depth < 3 else 0
    if depth and shape < 4:
        return " " + draw(st.sampled_from(WORDS)) + "\n"
    if depth and shape == 4:
        lines = draw(st.lists(st.sampled_from([f"{pad}  text: x\n", f"{pad}   more\n", "\n", f"{pad}  # no comment\n"]), max_size=3))
        return f" {draw(st.sampled_from(['|', '>', '|-', '>+', '|2']))}\n{''.join(lines)}"
    inner = indent + (draw(st.sampled_from([1, 2, 2, 4])) if depth else 0)
    mark = "\n" if depth else ""
    if shape < 7:
        return mark + "".join(f"{' ' * inner}-{draw(blocks(inner + 2, depth + 1))}" for _ in range(draw(st.integers(1, 3))))
    return mark + "".join(f"{' ' * inner}{draw(KEYS)}:{draw(blocks(inner, depth + 1))}" for _ in range(draw(st.integers(1, 3))))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(blocks())
def test_both_readers_read_alike_whatever_is_written(text: str) -> None:
    """Whatever the fast reader may read, it reads as the exact one does; neither raises anything of its own."""
    exactly = outcome(exact_yaml.read, text)
    if fast_yaml.may_read(text):
        found = outcome(fast_yaml.read, text)
        assert found[0] == exactly[0]
        assert alike(found[1], exactly[1])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: {k: 1}\n", {"a": {"k": 1}}),
        ("a: |\n  x\n", {"a": "x\n"}),
        ("- >-\n  x\n", ["x"]),
        ("a: [80, 443]\n", {"a": [80, 443]}),
        ("image: nginx:1.27\n", {"image": "nginx:1.27"}),
        ("# yes\na: b # c\n", {"a": "b"}),
    ],
)
def test_what_is_in_every_manifest_is_for_the_fast_reader(text: str, value: Any) -> None:
    """Or it would not be fast."""
    assert fast_yaml.may_read(text)
    assert fast_yaml.read(text) == value
