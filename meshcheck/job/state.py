"""Where the job stands: what its metrics and its health endpoints tell. Written by one thread, read by those that serve."""

from __future__ import annotations

import time
from collections import Counter

from meshcheck.model.report import Report

_PATIENCE = 60.0
"""Seconds that the loop may be silent beyond what it announced."""


class State:
    """The last report and the counts since the start."""

    def __init__(self, watched: bool = False) -> None:
        self.watched = watched
        """Whether this is the watch mode."""
        self.report: Report | None = None
        self.completed = 0.0
        """When the last pass ended, in seconds since 1970."""
        self.passes: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.watches: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.interruptions: Counter[str] = Counter()
        self.stuck: tuple[str, ...] = ()
        """Kinds whose watch neither moves nor tries again."""
        self._next_sign = time.monotonic() + _PATIENCE

    def finished(self, report: Report) -> None:
        """A pass is done."""
        self.report, self.completed = report, time.time()
        self.passes[report.result] += 1

    def alive(self, seconds: float) -> None:
        """The loop lives, and will say so again within so many seconds."""
        self._next_sign = time.monotonic() + seconds + _PATIENCE

    @property
    def healthy(self) -> bool:
        """Whether the loop has said within the announced time that it lives, and so have all watches."""
        return time.monotonic() < self._next_sign and not self.stuck

    @property
    def ready(self) -> bool:
        """Whether there is a report."""
        return self.report is not None
