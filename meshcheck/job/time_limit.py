"""A pass that takes too long is ended in good order: what was not done is said, and the report is still written."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from meshcheck.errors import MeshcheckError


class TimeLimitError(MeshcheckError):
    """The time that a pass may take is over."""


class TimeLimit:
    """The moment at which a pass has to be done: so many seconds from now; 0 for never."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds if seconds > 0 else None

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Raises TimeLimitError inside the block once the time is over, at once if it is. Only the main thread can be interrupted."""
        if self._end is None or threading.current_thread() is not threading.main_thread():
            yield
            return
        left = self._end - time.monotonic()
        if left <= 0:
            raise self._error()

        def over(number: int, frame: FrameType | None) -> None:
            raise self._error()

        before = signal.signal(signal.SIGALRM, over)
        signal.setitimer(signal.ITIMER_REAL, left)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _error(self) -> TimeLimitError:
        return TimeLimitError(f"not finished within the time limit of {self.seconds:g} s (`timeLimit`)")
