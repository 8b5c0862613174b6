"""Sets of requests in words that a reader need not work out."""

from __future__ import annotations

import pytest

from meshcheck.analyse.looks import Look
from meshcheck.analyse.regexes import language_of
from meshcheck.analyse.words import description
from meshcheck.model.question import Caller, Question, Target
from meshcheck.semantics import languages as sets
from meshcheck.semantics.authorization.strings import path_pattern, text_pattern

WITNESS = Question(Caller(external=True), Target(host="a"), headers={"x-team": ("a",)})


def _look(part: str, *values: str, rewritten: bool = False) -> Look:
    patterns = tuple((path_pattern if part == "path" else text_pattern)(value) for value in values)
    language = language_of(patterns)
    return Look(part, sets.any_line(language) if part.startswith("header:") else language, False, patterns, None, rewritten)


def _block(number: int, shift: int) -> Look:
    return Look("source", None, False, (), (32, number >> shift, shift))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ([], "any request"),
        ([(_look("method", "GET", "HEAD", "PUT"), True), (_look("method", "GET", "HEAD"), False)], "method PUT"),
        ([(_look("method", "GET", "PUT"), False)], "method not GET or PUT"),
        ([(_look("path", "/api/*"), True), (_look("path", "/api/x"), False)], "path /api/* but not /api/x"),
        ([(_look("path", "/api/*"), True), (_look("path", "/other"), False)], "path /api/*"),
        (
            [
                (_look("path", "/api*"), True),
                (_look("path", "/a", "/b", rewritten=True), True),
                (_look("path", "/a", rewritten=True), False),
            ],
            "path /api* and /b (after the rewrite)",
        ),
        ([(_look("header:x-team", "a", "b"), True), (_look("header:x-team", "b"), False)], "header x-team a but not b"),
        ([(_block(0xCB007109, 0), True), (_block(0x0A000000, 24), False)], "client address 203.0.113.9"),
        ([(_block(0x0A000000, 24), True), (_block(0x0A010000, 16), False)], "client address in 10.0.0.0/8 but not in 10.1.0.0/16"),
    ],
)
def test_descriptions(facts: list[tuple[Look, bool]], words: str) -> None:
    """What is excluded is not named among what is included; what says nothing is left out."""
    assert description(facts, WITNESS) == words
