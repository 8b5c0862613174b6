"""The cluster that the job runs in: what it reads of it, and what it writes to it."""

from __future__ import annotations

from typing import Any

from meshcheck.errors import MeshcheckError
from meshcheck.job.api import FIELD_MANAGER, ApiRefusedError
from meshcheck.load.cluster import Api, ApiError
from meshcheck.model.coverage import Coverage
from meshcheck.model.report import Gap


class ClusterApi:
    """`meshcheck.job.api.Api` on an API server."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api, self._namespace = api, namespace

    @property
    def namespace(self) -> str:
        return self._namespace

    def get(self, path: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._api.get(path)
        except ApiError as error:
            if error.code == 404:
                return None
            raise _refused(error, path, "read") from None
        return found

    def apply(self, path: str, body: dict[str, Any]) -> None:
        try:
            self._api.apply(path, body, FIELD_MANAGER)
        except ApiError as error:
            raise _refused(error, path, "written") from None

    def create(self, path: str, body: dict[str, Any]) -> None:
        try:
            self._api.post(path, body)
        except ApiError as error:
            if error.code != 409:  # it was created by a request whose answer was lost
                raise _refused(error, path, "created") from None


def _refused(error: ApiError, path: str, done: str) -> MeshcheckError:
    return ApiRefusedError(error.code, f"`{path}` cannot be {done}: {error.code or 'no answer'} {error.message}")


def gaps_of(coverage: Coverage | None) -> tuple[Gap, ...]:
    """What could not be read, a line for each kind and namespace."""
    return tuple(Gap(gap.what, gap.fact(), gap.chosen) for gap in (coverage.gaps if coverage else ()))
