"""Sources: what is read, what is not and why, and where it stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meshcheck.errors import UnreadableError
from meshcheck.load.read import Reading

POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}\n"


def read(tmp_path: Path, **files: bytes | str) -> Reading:
    for name, content in files.items():
        (tmp_path / name.replace("__", ".")).write_bytes(content if isinstance(content, bytes) else content.encode())
    reading = Reading()
    reading.add_path(str(tmp_path))
    return reading


def names(reading: Reading) -> list[str]:
    return [document.value["metadata"]["name"] for document in reading.documents]


def test_one_bad_document_never_loses_the_rest(tmp_path: Path) -> None:
    reading = read(
        tmp_path, a__yaml=POD.format("one") + "---\na: [1\n---\n" + POD.format("two"), b__yaml=b"\xff\xfe\x00junk", c__json='{"kind": 3}'
    )
    assert names(reading) == ["one", "two"]
    assert [(Path(n.place.file).name, n.place.line) for n in reading.not_read] == [("a.yaml", 7), ("b.yaml", 1), ("c.json", 1)]
    assert all(n.reason for n in reading.not_read)


def test_lists_json_bom_and_empty_documents(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        a__yaml="apiVersion: v1\nkind: List\nitems:\n"
        + "".join(f"- apiVersion: v1\n  kind: Pod\n  metadata: {{name: {name}}}\n" for name in ("one", "two")),
        b__json='{"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "three"}}]}',
        c__yml=b"\xef\xbb\xbf---\n---\n# nothing\n---\n" + POD.format("four").encode(),
    )
    assert names(reading) == ["one", "two", "three", "four"]
    assert reading.documents[2].value["kind"] == "Pod"
    assert reading.not_read == []


def test_places_of_fields(tmp_path: Path) -> None:
    reading = read(
        tmp_path, a__yaml="# first\n---\n" + POD.format("x") + "spec:\n  containers:\n  - name: c\n    ports: [{containerPort: 1}]\n"
    )
    origin = reading.documents[0].origin
    places = [
        reading.place(origin, path) for path in (("metadata", "name"), ("spec", "containers", 0, "name"), ("spec", "nothing", "there"))
    ]
    assert [(p.line, p.column) for p in places if p] == [(6, 3), (9, 5), (7, 1)]


def test_templates_are_named_as_such(tmp_path: Path) -> None:
    reading = read(tmp_path, a__yaml='apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n  labels: {{- include "x" . }}\n')
    assert "--helm" in reading.not_read[0].reason


def test_symlink_loops_and_missing_paths(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POD.format("one"))
    os.symlink(tmp_path, tmp_path / "again")
    reading = Reading()
    reading.add_path(str(tmp_path))
    assert names(reading) == ["one"]
    with pytest.raises(UnreadableError, match="no such file or folder"):
        Reading().add_path(str(tmp_path / "missing"))


def test_a_huge_document_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    reading = read(
        tmp_path, a__yaml=POD.format("one") + "---\n" + POD.format("big") + "data: " + "x" * (9 << 20) + "\n---\n" + POD.format("two")
    )
    assert names(reading) == ["one", "two"]
    assert "8 MiB" in reading.not_read[0].reason
