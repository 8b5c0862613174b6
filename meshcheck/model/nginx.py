"""An nginx in a pod: its configuration, the files that are mounted, and as whom it runs."""

from __future__ import annotations

from collections.abc import Mapping

from meshcheck.model.objects import Meta, Path
from meshcheck.model.record import record


@record
class Source:
    """The ConfigMap and its key that a file comes from."""

    meta: Meta
    key: str

    @property
    def field(self) -> Path:
        """The field of the ConfigMap."""
        return ("data", self.key)


@record
class Directive:
    """One directive. `block` is None where there is no `{ }`.

    A directive `include` stays in the tree only where its file is not in the input; `args` is then the missing fact.
    """

    name: str
    args: tuple[str, ...]
    block: tuple[Directive, ...] | None
    file: str
    """Path inside the container."""
    line: int
    """Line of the file, from 1."""
    source: Source | None
    """None for what belongs to the image."""

    def __str__(self) -> str:
        return " ".join((self.name, *self.args))

    @property
    def place(self) -> str:
        """`default.conf:12`."""
        return f"{self.file.rpartition('/')[2]}:{self.line}"


@record
class MountedFile:
    """A file of a ConfigMap as the container finds it. It belongs to root, and to the pod's `fsGroup` where there is one."""

    path: str
    text: str | None
    """None where the content is not known (bytes, or not in the input)."""
    source: Source | None
    mode: int
    """Permission bits, with what `fsGroup` adds."""
    group: int


@record
class Mount:
    """What is mounted at a path: the files of a ConfigMap, or something of which the input shows nothing."""

    path: str
    files: Mapping[str, MountedFile] | None
    """Absolute path → file; None when nobody knows what lies there."""
    what: str
    """In words: `ConfigMap shop/web`, `Secret tls`, `volume cache`."""
    mode: int | None = None
    group: int = 0


@record
class Process:
    """As whom a process reads files; None where that is not known. User 0 reads everything that has a bit for it."""

    user: int | None
    group: int | None
    others: frozenset[int]
    """Supplementary groups."""
    why: str


@record
class Nginx:
    """One container that runs nginx, with a configuration that is in the input."""

    container: str
    tree: tuple[Directive, ...]
    """The main context, with included files in their places."""
    mounts: tuple[Mount, ...]
    worker: Process
    assumed: str | None
    """What was taken for granted of the image: a refusal that rests on it is not sure."""
    broken: str | None
    """Why it is not known whether nginx starts with this configuration."""
    root: bool
    """Whether the master process is root: without `listen` it then takes port 80, else 8000."""
