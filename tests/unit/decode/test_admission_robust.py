"""Whatever is given, admission answers, and soon."""

from __future__ import annotations

import copy
import random
import time
from typing import Any

import pytest

from meshcheck.decode.admission import problems
from meshcheck.decode.admission.kinds import KINDS
from tests.unit.decode.admission_bases import BASES


def _nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"a": [value]}
    return value


GARBAGE: list[Any] = [
    None,
    True,
    0,
    -1,
    10**400,
    1.5,
    float("nan"),
    float("inf"),
    "",
    "\ud800",
    "\0",
    "a" * 100_000,
    "*" * 3000,
    "(" * 500,
    "{**}" * 1000,
    "9" * 5000,
    [],
    {},
    [None],
    {"": ""},
    {"a": None},
    [[]] * 1000,
    list(range(3000)),
    {str(n): n for n in range(3000)},
    _nested(300),
]


def _spots(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        found += [spot for key in value for spot in _spots(value[key], (*path, key))]
    elif isinstance(value, list):
        found += [spot for number, item in enumerate(value) for spot in _spots(item, (*path, number))]
    return found


@pytest.mark.parametrize("base", sorted(BASES))
def test_garbage_in_any_place_is_answered(base: str) -> None:
    """No exception, and no more than a blink, for every field and every kind of garbage."""
    generator = random.Random(base)
    for spot in _spots(BASES[base]):
        for garbage in generator.sample(GARBAGE, 12):
            value = copy.deepcopy(BASES[base])
            here: Any = value
            for step in spot[:-1]:
                here = here[step]
            here[spot[-1]] = garbage
            start = time.process_time()
            problems(value)
            assert time.process_time() - start < 1, (spot, str(garbage)[:50])


@pytest.mark.parametrize(
    "body", [{}, {"metadata": None, "spec": None}, {"metadata": [], "spec": "x"}, {"metadata": {"name": "a"}, "spec": {}}]
)
def test_bodies_without_anything_are_answered(body: dict[str, Any]) -> None:
    """Every kind in every version."""
    for (group, kind), about in KINDS.items():
        for version in about.versions:
            problems({"apiVersion": f"{group}/{version}".removeprefix("/"), "kind": kind, **body})


def test_the_object_itself_stays_as_it_was() -> None:
    """Nulls and unknown fields are left out of a copy."""
    value = copy.deepcopy(BASES["pod"])
    value["spec"]["foo"] = None
    value["spec"]["containers"][0]["env"] = None
    before = copy.deepcopy(value)
    problems(value)
    assert value == before
