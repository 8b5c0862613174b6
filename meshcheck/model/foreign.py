"""Objects of other projects, as they were written: their settings are looked at where a call meets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.objects import Meta
from meshcheck.model.record import record


@record
class Foreign:
    """An IngressRoute or Middleware of Traefik, a KongPlugin, an HTTPProxy of Contour, a BackendConfig of GKE; a policy of a network
    plugin or of another mesh.
    """

    meta: Meta
    value: Mapping[str, Any]

    @property
    def spec(self) -> Mapping[str, Any]:
        found = self.value.get("spec")
        return found if isinstance(found, dict) else {}
