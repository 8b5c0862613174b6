"""What can go wrong before a question is answered."""

from __future__ import annotations


class OracleError(Exception):
    """The oracle cannot answer; the message says what is missing and what to do about it."""
