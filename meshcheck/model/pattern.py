"""Regular expressions of the program itself: compiled with their first use, for most are never asked in one run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, AnyStr

if TYPE_CHECKING:

    def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
        """As `re.compile`."""
        ...
else:

    class pattern:
        """As `re.compile`. Each method that was asked for once is an attribute from then on, and costs what a compiled pattern's does."""

        def __init__(self, text: str | bytes, flags: int = 0) -> None:
            self._written = text, flags

        def __getattr__(self, name: str) -> Any:
            found = getattr(re.compile(*self._written), name)
            setattr(self, name, found)
            return found
