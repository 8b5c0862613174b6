"""Password files of `auth_basic_user_file`.

Source: nginx/nginx:src/core/ngx_crypt.c.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import md5, sha1

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def credentials(header: str) -> tuple[str, str] | None:
    """User and password of an `Authorization: Basic` header; None for any other."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(rest.strip(), validate=True).decode("utf-8", "surrogateescape").partition(":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None


def accepts(text: str, user: str, password: str) -> bool | None:
    """Whether a password file accepts a user; None where the hash is one that is not computed here."""
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name == user and not line.startswith("#"):
            return _matches(rest.partition(":")[0], password)
    return False


def _matches(stored: str, password: str) -> bool | None:
    raw = password.encode("utf-8", "surrogateescape")
    try:
        if stored.startswith("{PLAIN}"):
            return stored[7:] == password
        if stored.startswith("{SHA}"):
            return base64.b64decode(stored[5:]) == sha1(raw).digest()
        if stored.startswith("{SSHA}"):
            found = base64.b64decode(stored[6:])
            return found[:20] == sha1(raw + found[20:]).digest()
    except (binascii.Error, ValueError):
        return False
    if stored.startswith("$apr1$"):
        return _apr1(raw, stored[6:].partition("$")[0][:8].encode()) == stored
    return None


def _apr1(password: bytes, salt: bytes) -> str:
    """Apache's variant of the MD5 crypt."""
    final = md5(password + salt + password).digest()
    start = password + b"$apr1$" + salt + (final * (len(password) // 16 + 1))[: len(password)]
    bits = len(password)
    while bits:
        start += b"\0" if bits & 1 else password[:1]
        bits >>= 1
    digest = md5(start).digest()
    for n in range(1000):
        part = password if n & 1 else digest
        part += salt if n % 3 else b""
        part += password if n % 7 else b""
        part += digest if n & 1 else password
        digest = md5(part).digest()
    out = ""
    for a, b, c in ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)):
        number = digest[a] << 16 | digest[b] << 8 | digest[c]
        out += "".join(_ALPHABET[number >> 6 * n & 63] for n in range(4))
    out += _ALPHABET[digest[11] & 63] + _ALPHABET[digest[11] >> 6]
    return f"$apr1${salt.decode()}${out}"
