"""Ends the job when it is told to (SIGTERM, SIGINT), in the middle of whatever it does: everything it writes is whole at every moment."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

MOST = 1.5
"""Seconds that an end in good order may take."""


class Stopped(BaseException):
    """The job was told to end. No `Exception`: nobody who handles errors may take it for one."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def end_when_told() -> None:
    """From now on SIGTERM and SIGINT raise Stopped in the main thread, and end the process soon after if that did not."""

    def told(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)  # who is told twice does not wait
        last = threading.Timer(MOST, _end, [128 + number])
        last.daemon = True
        last.start()
        raise Stopped(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)


def _end(status: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(status)
