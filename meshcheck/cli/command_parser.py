"""Command lines that are wrong are told in one line, not behind a page of usage."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from meshcheck.errors import UsageError
from meshcheck.model.pattern import pattern

_UNRECOGNIZED = "unrecognized arguments: "
_REQUIRED = "the following arguments are required: "
_IGNORED = pattern(r"ignored explicit argument '([^']*)'")
_TRUTHS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


class _Page(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal. argparse makes one for each option that it is told of; by itself it would load `shutil` for it."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=_width() - 2)


def _width() -> int:
    """Columns of the terminal, or 80."""
    written = os.environ.get("COLUMNS", "")
    if written.isdecimal() and int(written):
        return int(written)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


def _as_called(text: str) -> str:
    """A text with the name under which the program runs: whoever has it from krew has no `meshcheck`."""
    if not os.path.basename(sys.argv[0]).startswith("kubectl-meshcheck"):
        return text
    return re.sub(r"(?m)(^|^ +|[|(`] ?)meshcheck (?=[a-z])", r"\1kubectl meshcheck ", text)


class CommandParser(argparse.ArgumentParser):
    """The parser of a command: its examples keep their lines, and what is wrong is a UsageError that says where to look."""

    def __init__(self, prog: str, description: str, epilog: str, usage: str | None = None) -> None:
        super().__init__(prog=_as_called(prog), usage=usage, description=description, epilog=_as_called(epilog), formatter_class=_Page)
        self._positionals.title = "arguments"

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """As argparse, with a usage in one line: the options follow anyway."""
        self.usage = self.usage or " ".join(["%(prog)s", *self._needed(), "[options]"])
        return super().parse_args(args, namespace)

    def parse_intermixed_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """As `parse_args`."""
        self.usage = self.usage or " ".join([self.prog, *self._needed(), "[options]"])
        return super().parse_intermixed_args(args, namespace)

    def _needed(self) -> Iterator[str]:
        for action in self._actions:
            name = action.metavar if isinstance(action.metavar, str) else action.dest
            if action.option_strings:
                yield from (action.option_strings[0], name) if action.required else ()
            elif " " in name or action.nargs is None:
                yield name
            elif action.nargs in ("?", "*"):
                yield f"[{name}{' …' if action.nargs == '*' else ''}]"
            else:
                yield f"{name} …"

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
        if message.startswith(_REQUIRED):
            return f"{', '.join(f'`{name}`' for name in message.removeprefix(_REQUIRED).split(', '))} is missing"
        message = _IGNORED.sub("takes no value, and `\\1` was given", message)
        argument = re.match(r"argument (\S+): (.*)", message, re.DOTALL)
        if argument is None:
            return message
        name, told = argument[1].rpartition("/")[2], re.sub(r"'([^']*)'", r"`\1`", argument[2])
        return f"`{name}`: {told}"
