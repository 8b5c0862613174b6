"""Batches: one world a line in, answers out. A line that cannot be used is answered with an error, and the run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from meshcheck.errors import MeshcheckError, UnreadableError, UsageError
from meshcheck.load.lines import objects_of
from meshcheck.load.read import Reading

Rows = Callable[[dict[str, Any], Reading], Iterator[dict[str, Any]]]
"""The answers to one world, given its line and what was read of it; a MeshcheckError means that the world cannot be used."""


def read_world(line: dict[str, Any], exact: bool = False) -> Reading:
    """The manifests of one line: YAML text, a list of paths, or a list of objects."""
    reading = Reading(exact=exact)
    manifests = line.get("manifests")
    if isinstance(manifests, str):
        reading.add_text("manifests", manifests)
    elif isinstance(manifests, list):
        reading.add_values("manifests", [item for item in manifests if isinstance(item, dict)])
        for item in manifests:
            if isinstance(item, str):
                reading.add_path(item)
    else:
        raise UsageError("`manifests` must be YAML text or a list of paths")
    return reading


def problems_of(reading: Reading) -> list[dict[str, Any]]:
    """What could not be read, as JSON."""
    return [
        {"place": {"file": n.place.file, "line": n.place.line, "column": n.place.column}, "reason": n.reason}
        for n in reading.not_read
        if n.fatal
    ]


def run_batch(path: str, rows_of: Rows, write: Callable[[str], Any]) -> int:
    """Answer a batch: `rows_of` makes the rows of one world. Returns the exit status: 0, or 2 when something could not be used."""
    status = 0
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def put(row: dict[str, Any]) -> None:
        nonlocal status
        status = 2 if "error" in row else status
        write(encode(row) + "\n")

    for line in objects_of(path):
        if isinstance(line, str):
            put({"id": None, "error": error_of(line)})
            continue
        reading: Reading | None = None
        try:
            reading = read_world(line)
            if not reading.documents and (problems := problems_of(reading)):
                raise UnreadableError(str(problems[0]["reason"]))
            for row in rows_of(line, reading):
                put({"id": line.get("id"), **row})
        except MeshcheckError as error:
            put({"id": line.get("id"), "error": error_of(error, problems_of(reading) if reading else [])})
    return status


def rows(line: dict[str, Any], answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One row for each question of a line; a question that cannot be used gets an error, and the next one is asked."""
    questions = line.get("questions")
    for asked in questions if isinstance(questions, list) else ():
        question = asked if isinstance(asked, dict) else {}
        try:
            yield {"question": question.get("id"), **answer(question)}
        except MeshcheckError as error:
            yield {"question": question.get("id"), "error": error_of(error)}


def error_of(error: MeshcheckError | str, problems: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """What stands in a row instead of an answer."""
    return {"message": str(error), "problems": problems or []}
