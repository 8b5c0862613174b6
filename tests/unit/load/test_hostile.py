"""Input that was made to hurt, or is broken: each ends quickly, with place and reason, and the rest is still read."""

from __future__ import annotations

import builtins
import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshcheck.errors import UnreadableError
from meshcheck.load.read import Reading

POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}\n"
GOOD, LATER = POD.format("good"), POD.format("later")
JSON_POD = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "%s"}}'
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
MERGES = "a0: &a0 {k: v}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 50)}], k{n}: *a{n - 1}}}\n" for n in range(1, 25))


def read(tmp_path: Path, content: bytes | str, name: str = "a.yaml") -> Reading:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    reading = Reading()
    reading.add_path(str(tmp_path / name))
    return reading


def names(reading: Reading) -> list[str]:
    return [document.value["metadata"]["name"] for document in reading.documents]


def lines(reading: Reading) -> list[tuple[int, int]]:
    return [(item.place.line, item.place.column) for item in reading.not_read]


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Nothing here may take more than a few seconds, on whatever machine."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("bad", "at", "word"),
    [
        pytest.param(BOMB, (12, 1), "aliases make the document larger", id="alias bomb"),
        pytest.param(MERGES, (10, 1), "aliases make the document larger", id="bomb of merges"),
        pytest.param("[" * 10_000 + "]" * 10_000, (6, 1), "nested more than 250", id="flow lists"),
        pytest.param("{a: " * 10_000, (6, 1), "nested more than 250", id="flow mappings"),
        pytest.param('{"a":' * 10_000, (6, 1), "nested more than 250", id="JSON in YAML"),
        pytest.param("- " * 10_000 + "a", (6, 1), "nested more than 250", id="dashes"),
        pytest.param("-   " * 10_000 + "a", (6, 1), "nested more than 250", id="wide dashes"),
        pytest.param("? " * 10_000, (6, 1), "nested more than 250", id="complex keys"),
        pytest.param("\n".join(" " * n + "a:" for n in range(2_000)), (256, 1), "nested more than 250", id="mappings in blocks"),
        pytest.param("\n".join(" " * n + "a:" for n in range(5_000)), (6, 1), "more than 8 MiB", id="deep and huge"),
        pytest.param("data: " + "x" * (9 << 20), (6, 1), "more than 8 MiB", id="huge scalar"),
        pytest.param("a: 1\nb: x\0y", (7, 5), "U+0000 is not allowed", id="NUL"),
        pytest.param("a: 1\nb:\n  c: \x07", (8, 6), "U+0007 is not allowed", id="bell"),
        pytest.param('a: "\\ud800"', (6, 7), "invalid Unicode", id="half a pair"),
        pytest.param(b"a: 1\nb: \xe9\xff", (7, 4), "not UTF-8: byte 0xe9", id="Latin-1"),
        pytest.param("a: 1\n\tb: 2", (7, 1), "", id="tab"),
        pytest.param("a: *nobody", (6, 1), "unknown anchor `nobody`", id="unknown anchor"),
        pytest.param("a: &a [*a]", (6, 1), "unknown anchor `a`", id="alias of itself"),
        pytest.param("a: .nan", (6, 1), "cannot be written as JSON", id="NaN"),
        pytest.param("a: b: c", (6, 5), "mapping values", id="two colons"),
        pytest.param("a: [1", (7, 1), "", id="never closed"),
        pytest.param("a: !!int x", (6, 4), "is no `!!int`", id="wrong tag"),
        pytest.param("{{- range .Values.x }}\na: {{ . }}\n{{- end }}", (6, 3), "a template, not a manifest", id="template"),
        pytest.param("k" * 2_000 + ": 1", (6, 2_001), "mapping values", id="long key"),
    ],
)
def test_one_bad_document_has_its_place_and_reason(tmp_path: Path, bad: str | bytes, at: tuple[int, int], word: str) -> None:
    """The documents before and behind it are read."""
    raw = bad if isinstance(bad, bytes) else bad.encode()
    reading = read(tmp_path, GOOD.encode() + b"---\n" + raw + b"\n---\n" + LATER.encode())
    assert names(reading) == ["good", "later"]
    (item,) = reading.not_read
    assert item.fatal
    assert word in item.reason
    assert (item.place.line, item.place.column) == at
    place = reading.place(reading.documents[1].origin, ("metadata", "name"))
    assert place
    assert place.line == (GOOD + "---\n").count("\n") + raw.count(b"\n") + 6


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode("utf-16"),
        "\ufeff".encode("utf-16-be") + GOOD.encode("utf-16-be"),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n").encode(),
    ],
)
def test_encodings_and_line_ends_that_kubectl_takes(tmp_path: Path, content: bytes) -> None:
    """UTF-16 with its mark, UTF-8 with a mark, Windows' line ends; places are right as well."""
    reading = read(tmp_path, content)
    assert (names(reading), reading.not_read) == (["good"], [])
    place = reading.place(reading.documents[0].origin, ("metadata", "name"))
    assert place
    assert (place.line, place.column) == (4, 3)


@pytest.mark.parametrize("content", [GOOD.encode("utf-16-le"), GOOD.encode("utf-32"), GOOD.encode("utf-16") + b"\0"])
def test_other_encodings_are_named(tmp_path: Path, content: bytes) -> None:
    """With what to do about them."""
    reading = read(tmp_path, content)
    assert reading.documents == []
    assert "save it as UTF-8" in reading.not_read[0].reason


@pytest.mark.parametrize("content", ["", "\n\n", "---\n---\n", "# x\n---\n  # y\n", "---", "null", "--- null\n", "~\n---\n...\n"])
def test_nothing_is_nothing(tmp_path: Path, content: str) -> None:
    """No documents, and no trouble."""
    reading = read(tmp_path, content)
    assert (reading.documents, [item for item in reading.not_read if item.fatal and "..." not in content]) == ([], [])


def test_documents_may_begin_behind_the_dashes(tmp_path: Path) -> None:
    """`--- {...}`, and a comment there."""
    reading = read(tmp_path, f"--- {JSON_POD % 'one'}\n--- # two\n{GOOD}---   \n{LATER}")
    assert names(reading) == ["one", "good", "later"]


# ---- lists ----


def test_lists_in_lists_and_typed_lists(tmp_path: Path) -> None:
    """Items get the type of a typed list; odd items are noted where they stand; an empty list is empty."""
    text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: PodList\n  items:\n  - metadata: {name: a}\n  - 5\n"
    reading = read(tmp_path, text + "- null\n- {}\n---\napiVersion: v1\nkind: List\nitems:\n---\napiVersion: v1\nkind: List\nitems: []\n")
    assert [(d.value["kind"], d.value["metadata"]["name"]) for d in reading.documents] == [("Pod", "a")]
    assert [(item.place.line, item.fatal) for item in reading.not_read] == [(8, False), (10, False)]
    place = reading.place(reading.documents[0].origin, ("metadata", "name"))
    assert place
    assert (place.line, place.column) == (7, 16)


def test_a_kind_whose_name_ends_in_list_is_not_always_a_list(tmp_path: Path) -> None:
    """Only `items` make it one."""
    reading = read(tmp_path, "apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: a}\nspec: {}\n")
    assert names(reading) == ["a"]


# ---- JSON ----


def test_json_values_may_follow_each_other(tmp_path: Path) -> None:
    """As `jq '.items[]'` writes them; each has its lines."""
    reading = read(tmp_path, f"{JSON_POD % 'one'}\n\n{JSON_POD % 'two'} {JSON_POD % 'three'}\n", "a.json")
    assert names(reading) == ["one", "two", "three"]
    places = [reading.place(document.origin, ("metadata", "name")) for document in reading.documents]
    assert [place.line for place in places if place] == [1, 3, 3]


def test_json_corners(tmp_path: Path) -> None:
    """The last of duplicate keys counts, halves of pairs are replaced, numbers may be long, tabs are white space."""
    text = '\n{\n\t"apiVersion": "v1", "kind": "Pod", "kind": "Node",\n\t"metadata": {"name": "\\ud800é"}, "x": 99999999999999999999}'
    reading = read(tmp_path, text, "a.json")
    (document,) = reading.documents
    assert document.value["kind"] == "Node"
    assert document.value["metadata"]["name"] == "\ufffdé"
    place = reading.place(document.origin, ("metadata",))
    assert place
    assert place.line == 4


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested more than 250"),
        ('{"a":' * 400 + "1" + "}" * 400, "nested more than 250"),
        (JSON_POD % "x" + ",", "did not find expected"),
        ((JSON_POD % "x")[:-2], "did not find expected"),
    ],
)
def test_broken_json_says_why(tmp_path: Path, text: str, word: str) -> None:
    """In the words of the YAML reader, which reads it last."""
    reading = read(tmp_path, text, "a.json")
    assert reading.documents == []
    assert word in reading.not_read[0].reason


def test_numbers_without_end_are_texts(tmp_path: Path) -> None:
    """As in Go, where no number can hold them."""
    long = "9" * 5_000
    assert read(tmp_path, f"{GOOD}x: {long}\n").documents[0].value["x"] == long
    assert json.loads(json.dumps(read(tmp_path, f"{GOOD}x: 1e99999\n").documents[0].value["x"])) == "1e99999"


# ---- the file system ----


def test_folders_are_not_waited_for(tmp_path: Path) -> None:
    """Pipes, sockets and devices in a folder are passed by; broken links and folders with an ending of files are no accident."""
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").mkdir()
    (tmp_path / "b.yaml" / "c.yaml").write_text(LATER)
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "broken.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "self.yaml").symlink_to(tmp_path / "self.yaml")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / ".hidden.yaml").write_text("a: [")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(tmp_path)  # names of sockets are short
        try:
            listener.bind("s.yaml")
        finally:
            os.chdir(here)
        reading = Reading()
        reading.add_path(str(tmp_path))
    assert sorted(names(reading)) == ["good", "later"]
    assert sorted(Path(item.place.file).name for item in reading.not_read) == ["broken.yaml", "self.yaml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="LOUD: root reads every file: unreadable files were NOT tested")
def test_a_file_without_leave_to_read_is_noted(tmp_path: Path) -> None:
    """And the others are read."""
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(LATER)
    (tmp_path / "b.yaml").chmod(stat.S_IWUSR)
    reading = Reading()
    reading.add_path(str(tmp_path))
    assert names(reading) == ["good"]
    assert reading.not_read[0].reason == "permission denied"


def test_errors_of_reading_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that goes away, or a disk that fails."""
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(LATER)
    true = open

    def failing(path: str, *arguments: Any) -> Any:
        if path.endswith("a.yaml"):
            raise OSError(5, "Input/output error")
        return true(path, *arguments)

    monkeypatch.setattr(builtins, "open", failing)
    reading = Reading()
    reading.add_path(str(tmp_path))
    assert (names(reading), [item.reason for item in reading.not_read]) == (["later"], ["input/output error"])


@pytest.mark.parametrize("path", ["missing", "missing/folder", "a\0b"])
def test_no_such_path_is_an_error(tmp_path: Path, path: str) -> None:
    """Said at once, with its name."""
    with pytest.raises(UnreadableError, match="no such file or folder"):
        Reading().add_path(str(tmp_path / path))


def test_exact_reading_sees_duplicate_keys(tmp_path: Path) -> None:
    """Where the later one stands; what a merge brought is no duplicate."""
    (tmp_path / "a.yaml").write_text(f"{GOOD}---\n{LATER}x: &x {{a: 1}}\ny:\n  <<: *x\n  a: 2\nz: 1\nz: 2\n")
    reading = Reading(exact=True)
    reading.add_path(str(tmp_path))
    assert [(place.line, key) for place, key in reading.duplicate_keys] == [(15, "z")]
