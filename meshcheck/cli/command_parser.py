"""Command lines that are wrong are told in one line, not behind a page of usage."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from meshcheck.errors import UsageError

_UNRECOGNIZED = "unrecognized arguments: "
_TRUTHS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


class _Page(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal. argparse makes one for each option that it is told of; by itself it would load `shutil` for it."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_width() - 2)


def _width() -> int:
    """Columns of the terminal, or 80."""
    written = os.environ.get("COLUMNS", "")
    if written.isdecimal() and int(written):
        return int(written)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


class CommandParser(argparse.ArgumentParser):
    """The parser of a command: its examples keep their lines, and what is wrong is a UsageError that says where to look."""

    def __init__(self, prog: str, description: str, epilog: str, usage: str | None = None) -> None:
        super().__init__(prog=prog, usage=usage, description=description, epilog=epilog, formatter_class=_Page)

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:  # type: ignore[override]
        """As argparse, and switches may be written as kubectl's: `--switch=true`, `--switch=false`."""
        return super().parse_known_args(None if args is None else list(self._switched(args)), namespace)

    def _switched(self, words: Sequence[str]) -> Iterator[str]:
        for word in words:
            name, sign, value = word.partition("=")
            action = self._option_string_actions.get(name) if sign and name.startswith("--") else None
            if action is None or action.nargs != 0 or value.lower() not in _TRUTHS:
                yield word
            elif _TRUTHS[value.lower()]:
                yield name

    def error(self, message: str) -> NoReturn:
        """Raises UsageError instead of printing the usage and leaving."""
        raise UsageError(f"{self._told(message)} (see `{self.prog} --help`)")

    def _told(self, message: str) -> str:
        if message.startswith(_UNRECOGNIZED):
            from difflib import get_close_matches

            word = message.removeprefix(_UNRECOGNIZED).split(" ", 1)[0]
            option = word.partition("=")[0]
            near = get_close_matches(option, self._option_string_actions, 1) if option.startswith("--") else []
            return f"`{word}` means nothing to `{self.prog}`" + (f"; did you mean `{near[0]}`?" if near else "")
        argument = re.match(r"argument (\S+): (.*)", message, re.DOTALL)
        if argument is None:
            return message
        name, told = argument[1].rpartition("/")[2], re.sub(r"'([^']*)'", r"`\1`", argument[2])
        return f"`{name}`: {told}"
