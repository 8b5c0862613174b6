"""Objects of other projects: kept as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.foreign import Foreign
from meshcheck.model.objects import Meta


def decode_foreign(value: Mapping[str, Any], meta: Meta) -> Foreign:
    """Any object."""
    return Foreign(meta, value)
