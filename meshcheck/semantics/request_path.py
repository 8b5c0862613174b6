"""The path of a request as policies and routes see it.

Sources: istio/istio:pilot/pkg/networking/core/listener_builder.go:buildHTTPConnectionManager;
envoyproxy/envoy:source/common/http/path_utility.cc (the canonical form is that of Chromium's URL library).
"""

from __future__ import annotations

import re

from meshcheck.model.pattern import pattern

_ESCAPE = pattern(r"%([0-9A-Fa-f]{2})")
_SLASHES = pattern(r"%(2[Ff]|5[Cc])")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class BadPath(ValueError):
    """A path that Envoy answers with 400 (`path_normalization_failed`)."""


def split_target(target: str) -> tuple[str, str]:
    """Path and query (with its `?`, or empty)."""
    path, mark, query = target.partition("?")
    return path or "/", mark + query


def normalise(path: str, level: str) -> str:
    """The path after normalisation; `level` as in mesh config. Raises BadPath.

    A fragment and bytes beyond ASCII are refused at every level: clients do not send them.
    """
    if "#" in path or not path.isascii():
        raise BadPath(path)
    if level == "NONE":
        return path
    if "%00" in path:
        raise BadPath(path)
    if level == "DECODE_AND_MERGE_SLASHES":
        path = _SLASHES.sub(lambda m: "/" if m[1] in ("2F", "2f") else "\\", path)
    if "%" in path:
        path = _ESCAPE.sub(_decode_unreserved, path)
    if "\\" in path:
        path = path.replace("\\", "/")
    if "/." in path:
        path = _without_dots(path)
    if level in ("MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES") and "//" in path:
        path = re.sub("/{2,}", "/", path)
    return path


def _decode_unreserved(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0]


def _without_dots(path: str) -> str:
    out: list[str] = []
    parts = path.split("/")[1:]
    for n, part in enumerate(parts):
        last = n == len(parts) - 1
        if part == "..":
            if out:
                out.pop()
            if last:
                out.append("")
        elif part == ".":
            if last:
                out.append("")
        else:
            out.append(part)
    return "/" + "/".join(out)
