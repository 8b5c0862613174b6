"""Bytes into text: UTF-8, and UTF-16 with its mark in front, as Go's reader of YAML takes them."""

from __future__ import annotations

import codecs

from meshcheck.errors import UnreadableError

_GZIP = b"\x1f\x8b"
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(raw: bytes) -> str:
    """The text of a file. Raises UnicodeDecodeError for broken UTF-8, and UnreadableError for what is in another encoding."""
    if raw.startswith(_GZIP):
        raise UnreadableError("it is compressed: a snapshot is named with `--snapshot`, other files are unpacked before")
    if raw.startswith(_UTF_32) or (b"\0" in raw[:4] and not raw.startswith(_UTF_16)):
        raise UnreadableError("neither UTF-8 nor UTF-16 with a byte order mark; save it as UTF-8")
    if raw.startswith(_UTF_16):
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError as error:
            line = 1 + raw[: error.start].decode("utf-16", "replace").count("\n")
            raise UnreadableError(f"line {line}: broken UTF-16 at offset {error.start}; save it as UTF-8") from None
    return raw.decode("utf-8-sig")


def require_text(part: str) -> None:
    """Raises UnreadableError where a byte stands that was no text when the file was decoded."""
    try:
        part.encode()
    except UnicodeEncodeError as error:
        line, column = part.count("\n", 0, error.start) + 1, error.start - part.rfind("\n", 0, error.start)
        code = ord(part[error.start])
        what = f"not UTF-8: byte 0x{code & 0xFF:02x}" if 0xDC80 <= code <= 0xDCFF else f"half of a surrogate pair, U+{code:04X}"
        raise UnreadableError(f"line {line}, column {column}: {what}") from None
