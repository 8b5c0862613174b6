"""What a snapshot has listed so far, in a file beside it: `FILE.part` of `FILE`, so that a snapshot that fails can go on.

A gzip member for each line, so that what was written whole before a run was killed can be read: first what was asked, then one line for
each kind of which all was listed. Objects are those of a snapshot: compact, without secrets.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from meshcheck.errors import UnreadableError, UsageError
from meshcheck.load.cluster.reading import Part
from meshcheck.load.snapshot.compact import compact
from meshcheck.load.snapshot.file import put, taken_from
from meshcheck.load.snapshot.secrets import without_secrets
from meshcheck.model.cluster_kinds import ClusterKind, cluster_kinds
from meshcheck.model.coverage import Coverage

SCHEMA = "meshcheck/snapshot-part/v1"
LONGEST = 3600.0
"""Seconds after which nobody goes on: pods and policies of different hours are no cluster."""


class Listing:
    """The file. `removed`: object → fields from which something was taken. `moments`: when each run began to list."""

    def __init__(self, path: str, asked: Mapping[str, Any], *, resume: bool) -> None:
        """`asked`: cluster, user and options, which must be the same in all runs. Raises UnreadableError and UsageError."""
        self.path, self.asked = Path(path), dict(asked)
        self.moments: tuple[str, ...] = ()
        self.removed: dict[str, tuple[str, ...]] = {}
        self._earlier: dict[str, Part] = {}
        self._now = datetime.now(UTC).isoformat(timespec="seconds")
        self._lock = threading.Lock()
        self._written = b""
        self.begun = False
        """Whether this run has listed something."""
        if resume:
            self._read()

    @property
    def moment(self) -> str | None:
        """The resource version of which the first list was."""
        return next((part.resource_version for part in self._earlier.values() if part.resource_version), None)

    def earlier(self, kind: ClusterKind) -> Part | None:
        """What an earlier run has listed of a kind."""
        return self._earlier.get(kind.resource)

    def add(self, part: Part) -> None:
        """Keep a kind of which all was listed; one that could not be read is asked for again."""
        if any(gap.reason.startswith("could not") for gap in part.gaps):
            return
        items, removed = [], {}
        for value in part.items:
            if value["kind"] != "Secret":
                cleaned, fields = without_secrets(compact(value))
                items.append(cleaned)
                if fields:
                    removed[taken_from(cleaned)] = sorted(set(fields))
        line = _member(
            {
                "resource": part.kind.resource,
                "items": items,
                "coverage": Coverage(frozenset(), part.gaps).as_json(),
                "resource_version": part.resource_version,
                "torn": part.torn,
                "removed": removed,
            }
        )
        with self._lock:
            if not self.begun:
                self.begun, self.moments = True, (*self.moments, self._now)
                head = _member({"schema": SCHEMA, "asked": self.asked, "moments": self.moments})
                put(self.path, head + self._written)
            try:
                with self.path.open("ab") as file:
                    file.write(line)
            except OSError as error:
                raise UnreadableError(f"`{self.path}` cannot be written: {(error.strerror or str(error)).lower()}") from None

    def _read(self) -> None:
        try:
            head, *lines = list(_members(self.path.read_bytes()))
            if head["schema"] != SCHEMA:
                raise ValueError
            differing = [name for name in self.asked if self.asked[name] != head["asked"].get(name)]
            begun = datetime.fromisoformat(head["moments"][0])
            by_resource = {kind.resource: kind for kind in cluster_kinds()}
            for line in lines:
                kind, gaps = by_resource[line["resource"]], Coverage.from_json(line["coverage"]).gaps
                self._earlier[kind.resource] = Part(kind, line["items"], gaps, line["resource_version"], line["torn"])
                self.removed |= {name: tuple(fields) for name, fields in line["removed"].items()}
                self._written += _member(line)
        except FileNotFoundError:
            raise UsageError(f"`{self.path}`: no snapshot was left unfinished there: run without `--resume`") from None
        except OSError as error:
            raise UnreadableError(f"`{self.path}` cannot be read: {(error.strerror or str(error)).lower()}") from None
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            raise UnreadableError(f"`{self.path}`: not a snapshot that was left unfinished: run without `--resume`") from None
        if differing:
            what = ", ".join(differing)
            raise UsageError(f"`{self.path}` was begun on another cluster or with other options ({what}): run without `--resume`")
        age = time.time() - begun.timestamp()
        if age > LONGEST:
            raise UsageError(f"`{self.path}` was begun {age / 3600:.1f} h ago, and the cluster has changed: run without `--resume`")
        self.moments = tuple(head["moments"])

    def remove(self) -> None:
        """The snapshot is written: nothing is left to go on with."""
        self.path.unlink(missing_ok=True)


def _member(line: Mapping[str, Any]) -> bytes:
    return gzip.compress(json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode(), 1, mtime=0)


def _members(raw: bytes) -> Iterator[Any]:
    """The lines that were written whole."""
    while raw:
        member = zlib.decompressobj(31)
        try:
            text = member.decompress(raw)
        except zlib.error:
            raise ValueError from None
        if not member.eof:
            return
        yield json.loads(text)
        raw = member.unused_data
