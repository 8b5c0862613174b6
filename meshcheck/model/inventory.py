"""All objects that were read, by kind, and what could not be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from meshcheck.model.coverage import Coverage
from meshcheck.model.objects import ObjectRef, Origin, Path
from meshcheck.model.record import record, value


@value
class Refused:
    """An object that a cluster would not accept, or that meshcheck cannot decode: it is not part of the World."""

    ref: ObjectRef
    origin: Origin | None
    path: Path
    message: str
    refused_by: Literal["api-server", "istiod"] | None
    """`api-server` or `istiod`; None when meshcheck itself cannot decode it."""


@value
class Noted:
    """Something about an accepted object that is worth a word: a field that no schema knows."""

    ref: ObjectRef
    origin: Origin | None
    path: Path
    message: str


@record
class Inventory:
    """Decoded objects by kind; of objects with one name the last one read counts."""

    objects: Mapping[str, tuple[Any, ...]]
    """Kind → objects, in the order of reading. All pod controllers and Pods are under `Workload`."""
    refused: tuple[Refused, ...]
    noted: tuple[Noted, ...]
    not_decoded: Mapping[str, int]
    """Kinds that were read and that no decoder knows, with how many there were."""
    coverage: Coverage | None = None
    """What is known in full; None for files, where nothing says so."""

    def of(self, kind: str) -> tuple[Any, ...]:
        """Objects of one kind."""
        return self.objects.get(kind, ())
