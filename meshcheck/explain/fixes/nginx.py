"""An nginx in the called workload: its names, its lists of addresses, the modes of its files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from meshcheck.explain.fixes.case import Candidate, Case, at, change, put, single
from meshcheck.explain.fixes.gateways import host_of
from meshcheck.explain.fixes.identity import template_of
from meshcheck.model.pattern import pattern

_NAMES = pattern(r"(\bserver_name\s+)([^;{}]*?)(\s*;)")
_DENY_ALL = pattern(r"^([ \t]*)deny\s+all\s*;", re.MULTILINE)


def candidates(case: Case) -> Iterator[Candidate]:
    """Changes of the ConfigMap that holds the configuration, and of the volume that it is."""
    meta = case.decider
    raw = case.raw(meta)
    if meta is None or raw is None or meta.ref.kind != "ConfigMap":
        return
    host = host_of(case)
    for name, text in (at(raw, ("data",)) or {}).items():
        if not isinstance(text, str):
            continue
        for found in _NAMES.finditer(text):
            if host and host not in found[2].split():
                new = f"{text[: found.end(2)]} {host}{text[found.end(2) :]}"
                yield single(f"add `{host}` to server_name {found[2]} in {name} of {meta.ref}", meta, change(("data", name), new))
        for found in _DENY_ALL.finditer(text):
            new = f"{text[: found.start()]}{found[1]}allow 127.0.0.6;\n{text[found.start() :]}"
            words = f"let nginx admit 127.0.0.6, its own sidecar and so every caller, before `deny all` in {name} of {meta.ref}"
            yield single(words, meta, change(("data", name), new), wide=2)
    yield from _modes(case, meta.name)


def _modes(case: Case, name: str) -> Iterator[Candidate]:
    """Files of the ConfigMap that nginx's user may read."""
    server = case.server
    raw = case.raw(server.meta) if server is not None else None
    if server is None or raw is None:
        return
    field = (*template_of(server.meta), "spec", "volumes")
    volumes: Any = at(raw, field) or ()
    for number, volume in enumerate(volumes):
        mode = at(volume, ("configMap", "defaultMode"))
        if at(volume, ("configMap", "name")) == name and isinstance(mode, int) and mode & 0o444 != 0o444:
            step = put(raw, (*field, number, "configMap", "defaultMode"), mode | 0o444)
            words = f"let files of ConfigMap {name} be readable for nginx's user (defaultMode {mode | 0o444:#o} instead of {mode:#o})"
            yield single(f"{words} in {server.meta.ref}", server.meta, step)
