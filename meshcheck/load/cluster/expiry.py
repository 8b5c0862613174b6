"""When credentials ran out, as far as they say it themselves."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime


def token_end(token: str) -> str:
    """The moment at which a JWT ran out; empty where it has not, or is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return ""
    try:
        end = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))).get("exp")
        return _past(datetime.fromtimestamp(float(end), UTC)) if end is not None else ""
    except (ValueError, TypeError, AttributeError, OverflowError, OSError):
        return ""


def certificate_end(pem: bytes) -> str:
    """The moment at which a certificate ran out; empty where it has not, or cannot be read."""
    from cryptography import x509

    try:
        return _past(x509.load_pem_x509_certificate(pem).not_valid_after_utc)
    except ValueError:
        return ""


def _past(end: datetime) -> str:
    return f"{end:%Y-%m-%d %H:%M} UTC" if end < datetime.now(UTC) else ""
