"""Ask meshcheck a batch of worlds, in this process, as `meshcheck trace --batch` would."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

World = dict[str, Any]
Trace = dict[str, Any]
Key = tuple[str, str]


def ask(worlds: Iterable[World], *, brief: bool = True, errors: bool = False) -> dict[Key, Trace]:
    """The trace of every question, by the ids of world and question.

    A world that cannot be read fails the test, unless `errors` is set: then its error stands under `(id, "")`.
    """
    from meshcheck.cli.main import main

    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps(world) + "\n" for world in worlds)
        file.flush()
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
        with redirect_stdout(out):
            status = main(["trace", "--batch", file.name, "-o", "jsonl", *(["--brief"] if brief else [])])
        out.flush()
    text = raw.getvalue().decode()
    assert status in (0, 1, 3), f"exit status {status}: {text[-500:]}"
    answers: dict[Key, Trace] = {}
    for line in text.splitlines():
        row = json.loads(line)
        if "error" in row:
            assert errors, f"world {row['id']} cannot be read: {row['error']}"
            answers[row["id"], ""] = row
        else:
            answers[row["id"], row["question"]] = row["trace"]
    return answers


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON Lines, packed or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            if line.strip():
                yield json.loads(line)
