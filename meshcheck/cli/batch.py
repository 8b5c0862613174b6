"""Batches: one world a line in, answers out. A line that cannot be used is answered with an error, and the run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from meshcheck.cli.questions import question_of
from meshcheck.cli.world import build_world
from meshcheck.errors import MeshcheckError, UnreadableError, UsageError
from meshcheck.load.lines import objects_of
from meshcheck.load.read import Reading
from meshcheck.model.question import Question
from meshcheck.semantics.world import World

Answer = Callable[[World, Question, Reading], dict[str, Any]]


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


def run_batch(path: str, answer: Answer, write: Callable[[str], Any]) -> int:
    """Answer a batch; returns the exit status: 0, or 2 when a line could not be used."""
    status = 0
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for line in objects_of(path):
        if isinstance(line, str):
            write(encode({"id": None, "error": {"message": line, "problems": []}}) + "\n")
            status = 2
            continue
        name = line.get("id")
        reading: Reading | None = None
        try:
            reading = read_world(line)
            if not reading.documents and (problems := problems_of(reading)):
                raise UnreadableError(str(problems[0]["reason"]))
            world = build_world(reading, closed=line.get("closed_world") is True, mesh_text=line.get("mesh_config") or None)
        except MeshcheckError as error:
            write(encode({"id": name, "error": {"message": str(error), "problems": problems_of(reading) if reading else []}}) + "\n")
            status = 2
            continue
        questions = line.get("questions")
        for asked in questions if isinstance(questions, list) else ():
            key = asked.get("id") if isinstance(asked, dict) else None
            try:
                question = question_of(asked if isinstance(asked, dict) else {})
                write(encode({"id": name, "question": key, "trace": answer(world, question, reading)}) + "\n")
            except MeshcheckError as error:
                write(encode({"id": name, "question": key, "error": {"message": str(error), "problems": []}}) + "\n")
                status = 2
    return status
