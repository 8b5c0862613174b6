"""A real shell in a real terminal: keys in, what the screen gets out."""

from __future__ import annotations

import os
import pty
import re
import select
import time
from collections.abc import Sequence
from types import TracebackType

_CONTROL = re.compile(r"\x1b\[[0-9;?>=]*[A-Za-z]|\x1b[=>()][A-Z0-9]?|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x07\r\x08\x0f]")
SECONDS = 30.0
"""How long anything may take on a machine that is busy; a test that passes never waits for it."""


class Terminal:
    """A shell that believes to talk to somebody."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], folder: str) -> None:
        self._command, self._environment, self._folder = command, environment, folder
        self.text = ""

    def __enter__(self) -> Terminal:
        self._process, self._screen = pty.fork()
        if self._process == 0:
            os.chdir(self._folder)
            os.execvpe(self._command[0], list(self._command), self._environment)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._screen)  # hangs up: the shell ends
        os.waitpid(self._process, 0)

    def press(self, keys: str) -> None:
        """Type; what was on the screen before is forgotten."""
        self.text = ""
        os.write(self._screen, keys.encode())

    def wait(self, wanted: str) -> bool:
        """Whether the screen shows a text in the end."""
        end = time.monotonic() + SECONDS
        while wanted not in self.shown:
            ready, _, _ = select.select([self._screen], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                return False
            try:
                self.text += os.read(self._screen, 65536).decode(errors="replace")
            except OSError:
                return False  # the shell has ended
        return True

    @property
    def shown(self) -> str:
        """What stands on the screen, without colours and movements of the cursor."""
        return _CONTROL.sub("", self.text)
