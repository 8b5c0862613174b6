"""What policies and extensions of Istio are attached to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.istio_security import Attachment, TargetRef


def decode_attachment(spec: Mapping[str, Any]) -> Attachment:
    """`selector`, `targetRef` and `targetRefs`."""
    selector = spec.get("selector")
    refs = list(spec.get("targetRefs") or ())
    if spec.get("targetRef"):
        refs.append(spec["targetRef"])
    targets = tuple(TargetRef(ref.get("group") or "", ref.get("kind") or "", ref.get("name") or "") for ref in refs)
    return Attachment((selector.get("matchLabels") or {}) if selector is not None else None, targets)
