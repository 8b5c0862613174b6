"""Everything meshcheck raises on purpose.

MeshcheckError            wrong use or unreadable input; exit status 2
├── UsageError            an option, a caller or a target that cannot be understood
├── UnreadableError       a file, a folder or a document that cannot be read
└── MissingProgramError   kubectl, kustomize or helm is needed and not installed
"""

from __future__ import annotations


class MeshcheckError(Exception):
    """Wrong use or unreadable input. `str()` is the message: lower case, no full stop, the place, and the next step."""


class UsageError(MeshcheckError):
    """An option, a caller or a target that cannot be understood."""


class UnreadableError(MeshcheckError):
    """A file, a folder or a document that cannot be read."""


class MissingProgramError(MeshcheckError):
    """A program that a source needs (kubectl, kustomize, helm) is not installed."""
