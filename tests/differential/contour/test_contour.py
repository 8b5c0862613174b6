"""meshcheck and a real Contour, with the Envoy that it configures, answer random requests to random HTTPProxies alike."""

from __future__ import annotations

import pytest

from tests.differential.contour import program
from tests.differential.edge.asked import summary

WORLDS, CALLS, SEED = 5, 100, 40_000


@pytest.mark.timeout(600)
def test_random_worlds() -> None:
    """No answer is wrong, and all but a few are known."""
    found = summary("contour", program.why_not(), WORLDS, CALLS, SEED)
    assert found["wrong"] == 0, "\n".join(found["examples"])
    assert found["requests"] == WORLDS * CALLS
    assert found["agreed"] > 0.9 * found["requests"]
