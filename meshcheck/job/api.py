"""What the job asks of the API server beside reading the World: its own report, and events."""

from __future__ import annotations

from typing import Any, Protocol

from meshcheck.errors import MeshcheckError

FIELD_MANAGER = "meshcheck"


class ApiRefusedError(MeshcheckError):
    """The API server refused a request; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api(Protocol):
    """The API server, as far as the job writes to it. All methods raise MeshcheckError; ApiRefusedError where the server answered."""

    @property
    def namespace(self) -> str:
        """The namespace of the service account, or of the kubeconfig's context."""

    def get(self, path: str) -> dict[str, Any] | None:
        """An object; None when there is none."""

    def apply(self, path: str, body: dict[str, Any]) -> None:
        """Server-side apply, as FIELD_MANAGER and with force: what this manager writes is nobody else's."""

    def create(self, path: str, body: dict[str, Any]) -> None:
        """A new object."""
