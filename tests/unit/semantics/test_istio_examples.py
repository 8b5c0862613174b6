"""The worked examples of Istio's semantics: each call is answered as the table says (tests/support/istio_examples.py)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.batch import Key, ask
from tests.support.compare import difference
from tests.support.istio_examples import LEFT_OUT, Row, rows

ROWS = list(rows())


@pytest.fixture(scope="module")
def traces() -> dict[Key, dict[str, Any]]:
    """All rows, asked at once."""
    return ask(row.world() for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_example(row: Row, traces: dict[Key, dict[str, Any]]) -> None:
    """The call gets the verdict, the status and the deciding policy of the table."""
    said = [difference(traces.get((row.id, row.question["id"])), want) for want in row.wants]
    assert "" in said, f"{row.id}: {'; or '.join(said)}"


def test_every_example_has_a_row_or_a_reason() -> None:
    """Examples 1 to 127 all stand in the table, or it says why not."""
    shown = {int(row.id.rstrip("abcdef")) for row in ROWS}
    assert shown.isdisjoint(LEFT_OUT)
    assert shown | set(LEFT_OUT) == set(range(1, 128))
