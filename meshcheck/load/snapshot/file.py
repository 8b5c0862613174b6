"""The file of a snapshot: JSON Lines in gzip. The first line says what it is and what is known in full; then one object a line.

`{"schema": "meshcheck/snapshot/v1", "objects": N, "coverage": {…}, "torn": […], "redacted": bool, "removed": [{"object", "fields"}],
"moments": [when each run began, where one has gone on where another had failed]}`
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshcheck.errors import UnreadableError
from meshcheck.load.snapshot.compact import compact
from meshcheck.load.snapshot.secrets import without_secrets
from meshcheck.model.coverage import Coverage

if TYPE_CHECKING:
    from meshcheck.load.read import Reading

SCHEMA = "meshcheck/snapshot/v1"
KEY_SCHEMA = "meshcheck/snapshot-key/v1"
_FAMILY = "meshcheck/snapshot/"
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def write_snapshot(
    path: str,
    objects: Iterable[Mapping[str, Any]],
    coverage: Coverage | None,
    torn: Iterable[str] = (),
    *,
    key_file: str | None = None,
    moments: Iterable[str] = (),
    removed_before: Mapping[str, Iterable[str]] | None = None,
    redacted: bool = False,
) -> dict[str, Any]:
    """Write a snapshot, whole or not at all; returns its first line. Secrets are left out, and what looks like one elsewhere, too.

    `key_file`: names, hosts and addresses are replaced under the key in that file, which is made
    where there is none, and then holds the names. `moments`: when the runs began that have read the objects, where one has gone on
    where another had failed; `removed_before`: object → fields from which an earlier run has taken something; `redacted`: names are
    replaced already.
    """
    known = Coverage(coverage.read, coverage.gaps) if coverage else None
    cleaned = [without_secrets(compact(value)) for value in objects if value["kind"] != "Secret"]
    values, taken = [value for value, _ in cleaned], [fields for _, fields in cleaned]
    if key_file is not None:
        from meshcheck.load.snapshot.redact import Redaction

        redaction = Redaction(values, _key_of(key_file))
        values, known = redaction.done(), redaction.coverage(known)
        names = {"schema": KEY_SCHEMA, "key": redaction.key.hex(), "names": redaction.names}
        put(Path(key_file), (json.dumps(names, indent=1, sort_keys=True) + "\n").encode())
    lines: dict[tuple[str, str, str, str], str] = {}
    removed: list[dict[str, Any]] = []
    for value, fields in zip(values, taken):
        key = _key(value)
        lines[key] = _encode(value)
        if fields := [*fields, *(removed_before or {}).get(taken_from(value), ())]:
            removed.append({"object": taken_from(value), "fields": sorted(set(fields)) if key_file is None else []})
    head = {
        "schema": SCHEMA,
        "objects": len(lines),
        "coverage": known.as_json() if known else None,
        "redacted": redacted or key_file is not None,
        "torn": sorted(torn),
        "removed": sorted(removed, key=lambda item: str(item["object"])),
    }
    if moments := tuple(moments):
        head["moments"] = moments
    text = "\n".join([_encode(head), *(lines[key] for key in sorted(lines))]) + "\n"
    put(Path(path), gzip.compress(text.encode(), 9, mtime=0))
    return head


def read_snapshot(path: str, reading: Reading) -> dict[str, Any]:
    """Add a snapshot's objects and coverage to a Reading; returns its first line. Raises UnreadableError."""
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        lines = gzip.decompress(raw).decode().splitlines()
    except OSError as error:  # gzip's own errors are among them
        if error.strerror:
            raise UnreadableError(f"`{path}`: {error.strerror.lower()}") from None
        raise UnreadableError(f"`{path}` is no snapshot: `meshcheck snapshot` writes them; manifests are read with `-f`") from None
    except (EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UnreadableError(f"`{path}`: the snapshot is not whole: {str(error).lower()}") from None
    head = _head(path, lines)
    try:
        values = [json.loads(line) for line in lines[1:]]
        for value in values:
            if not (isinstance(value["kind"], str) and isinstance(value["apiVersion"], str) and isinstance(value["metadata"]["name"], str)):
                raise TypeError
        coverage = Coverage.from_json(head["coverage"]) if head.get("coverage") else None
    except (ValueError, TypeError, KeyError):
        raise UnreadableError(f"`{path}`: the snapshot is damaged: write it again with `meshcheck snapshot`") from None
    if head.get("objects") != len(values):
        raise UnreadableError(f"`{path}`: the snapshot holds {len(values)} of {head.get('objects')} objects: write it again")
    reading.files += 1
    reading.add_objects(values)
    reading.coverage = coverage
    reading.torn += tuple(head.get("torn") or ())
    reading.moments += tuple(head.get("moments") or ())
    reading.redacted += (path,) if head.get("redacted") else ()
    return head


def taken_from(value: Mapping[str, Any]) -> str:
    """An object as the list of what was removed names it: `ConfigMap/shop/settings`."""
    return "/".join(_key(value)[1:])


def _key(value: Mapping[str, Any]) -> tuple[str, str, str, str]:
    meta = value["metadata"]
    return value["apiVersion"], value["kind"], meta.get("namespace") or "", meta["name"]


def _key_of(path: str) -> bytes | None:
    """The key of an earlier snapshot, so that names become the same; None where there is no such file. Raises UnreadableError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(f"`{path}` cannot be read: {error}") from None
    try:
        written = json.loads(text)
        if written["schema"] != KEY_SCHEMA:
            raise ValueError
        return bytes.fromhex(written["key"])
    except (ValueError, TypeError, KeyError):
        raise UnreadableError(f"`{path}`: not a key of `meshcheck snapshot --redact`: name another file") from None


def _head(path: str, lines: list[str]) -> dict[str, Any]:
    try:
        head = json.loads(lines[0])
        schema = head["schema"]
    except (IndexError, ValueError, TypeError, KeyError):
        raise UnreadableError(f"`{path}`: not a snapshot of meshcheck: its first line names no schema") from None
    if schema != SCHEMA:
        if isinstance(schema, str) and schema.startswith(_FAMILY):
            raise UnreadableError(f"`{path}`: a snapshot of another version (`{schema}`): read it with the meshcheck that wrote it")
        raise UnreadableError(f"`{path}`: not a snapshot of meshcheck but `{schema}`")
    found: dict[str, Any] = head
    return found


def put(path: Path, raw: bytes) -> None:
    """The file is there when it is whole; a run that is stopped leaves the old one. `-` is standard output."""
    if str(path) == "-":
        sys.stdout.buffer.write(raw)
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
        os.chmod(name, 0o600)
        os.replace(name, path)
    except OSError as error:
        raise UnreadableError(f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}") from None
