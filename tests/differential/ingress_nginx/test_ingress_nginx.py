"""meshcheck and a real ingress-nginx answer random requests to random Ingresses alike."""

from __future__ import annotations

import pytest

from tests.differential.edge.asked import summary
from tests.differential.ingress_nginx import program

WORLDS, CALLS, SEED = 4, 120, 30_000


@pytest.mark.timeout(600)
def test_random_worlds() -> None:
    """No answer is wrong, and nearly all are known."""
    found = summary("ingress_nginx", program.why_not(), WORLDS, CALLS, SEED)
    assert found["wrong"] == 0, "\n".join(found["examples"])
    assert found["requests"] == WORLDS * CALLS
    assert found["agreed"] > 0.8 * found["requests"] * (WORLDS - found["refused_as_a_whole"]) / WORLDS
