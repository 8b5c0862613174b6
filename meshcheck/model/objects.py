"""What every Kubernetes object has: identity, metadata and the place it was read from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshcheck.model.record import NamedTuple, record

Path = tuple[str | int, ...]
"""A field of an object: `("spec", "rules", 0, "from")`."""


class Place(NamedTuple):
    """Where a field stands: lines and columns count from 1; line 0 where the object has no text (`cluster:Service shop/cart`)."""

    file: str
    line: int
    column: int
    field: str = ""
    """Stands for the line where there is none."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else f"{self.file} {self.field}".rstrip()


class Span(NamedTuple):
    """A stretch of one line: from `start` up to, but not including, `end_column` of the same line."""

    start: Place
    end_column: int


CLUSTER = "cluster:"
"""What the files of origins begin with whose objects were read from a cluster, or from a snapshot of one."""


class Origin(NamedTuple):
    """Where an object was read from: enough to find the place of any of its fields later."""

    file: str
    document: int
    """Index of the document among those of the file, in the order of reading."""
    inside: Path = ()
    """Path of the object inside its document: `("items", 3)` for the fourth object of a `List`."""

    @property
    def in_cluster(self) -> bool:
        """Whether there is no file that could be changed, and a cluster that could be."""
        return self.file.startswith(CLUSTER)


class ObjectRef(NamedTuple):
    """Names one object. `namespace` is None for cluster-scoped kinds."""

    api_version: str
    kind: str
    namespace: str | None
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def as_json(self) -> dict[str, Any]:
        return {"apiVersion": self.api_version, "kind": self.kind, "namespace": self.namespace, "name": self.name}


@record
class Meta:
    """Identity and metadata of an object."""

    ref: ObjectRef
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    created: str
    """`creationTimestamp` as RFC 3339 text, or empty; Istio lets the oldest object win."""
    origin: Origin | None

    @property
    def namespace(self) -> str:
        return self.ref.namespace or ""

    @property
    def name(self) -> str:
        return self.ref.name


def dotted(path: Path) -> str:
    """`("spec", "rules", 0, "from")` → `spec.rules[0].from`; a key that is no plain word is put in brackets."""
    out = ""
    for step in path:
        if isinstance(step, int):
            out += f"[{step}]"
        elif step.replace("-", "").replace("_", "").isalnum():
            out += f".{step}" if out else step
        else:
            out += f"[{step}]"
    return out
