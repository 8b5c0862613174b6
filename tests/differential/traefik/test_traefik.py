"""meshcheck and a real Traefik answer random requests to random IngressRoutes and Ingresses alike."""

from __future__ import annotations

import pytest

from tests.differential.edge.asked import summary
from tests.differential.traefik import program

WORLDS, CALLS, SEED = 5, 100, 50_000


@pytest.mark.timeout(600)
def test_random_worlds() -> None:
    """No answer is wrong, and all but a few are known."""
    found = summary("traefik", program.why_not(), WORLDS, CALLS, SEED)
    assert found["wrong"] == 0, "\n".join(found["examples"])
    assert found["requests"] == WORLDS * CALLS
    assert found["agreed"] > 0.8 * found["requests"]
