"""Commands, options and their values, read from the parsers themselves: nothing here has to follow when a command changes.

The answer has the form of cobra's hidden `__complete`, which kubectl expects of `kubectl_complete-NAME`: a line for each offer (a tab and
what it means may follow), and a last line `:NUMBER`. Sources: kubernetes/kubectl:pkg/cmd/plugin/plugin_completion.go;
spf13/cobra:completions.go.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from importlib import import_module

from meshcheck.cli.login_options import FLAGS
from meshcheck.cli.main import COMMANDS
from meshcheck.cli.outputs import FormAction
from meshcheck.model.record import NamedTuple

FILES, NO_FILES, NO_SPACE = 0, 4, 2
"""Directives of cobra: names of files are offered by the shell; they are not; no blank follows an offer."""


class Offers(NamedTuple):
    """What may stand at the cursor: (text, meaning), and a directive."""

    items: tuple[tuple[str, str], ...]
    directive: int = NO_FILES


def parser_of(command: str) -> argparse.ArgumentParser | None:
    """The parser of a command; None for one that does without."""
    make = getattr(import_module(f"meshcheck.cli.{COMMANDS[command][0]}"), "parser", None)
    found = make() if make else None
    return found if isinstance(found, argparse.ArgumentParser) else None


def offers(words: Sequence[str]) -> Offers:
    """What may stand for the last of `words`; those before it are the command line without the program's name."""
    *before, current = words or [""]
    if not before:
        shown = [(name, about) for name, (_, about) in COMMANDS.items()]
        shown += [("--help", "what meshcheck does"), ("--version", "print the version")] if current.startswith("-") else []
        return _starting(shown, current)
    if before[0] not in COMMANDS or (parser := parser_of(before[0])) is None:
        return Offers(())
    return _of_parser(parser, before[1:], current)


def _of_parser(parser: argparse.ArgumentParser, before: Sequence[str], current: str) -> Offers:
    options = {name: action for action in parser._actions for name in action.option_strings}
    open_option, positional, used = None, 0, set()
    for number, word in enumerate(before):
        if open_option is not None:
            open_option = None
            continue
        if word.startswith("-") and word != "-":
            name, equals, _ = word.partition("=")
            action = options.get(name)
            if action is not None:
                used.add(action.dest)
                open_option = action if _takes_value(action) and not equals else None
            continue
        if (below := _below(parser, positional, word)) is not None:
            return _of_parser(below, before[number + 1 :], current)
        positional += 1
    if open_option is not None:
        return _values(parser, open_option, before, current, 0)
    name, equals, typed = current.partition("=")
    if equals and name.startswith("--") and name in options:
        found = _values(parser, options[name], before, typed, 0)
        return Offers(tuple((f"{name}={text}", about) for text, about in found.items), found.directive)
    if current.startswith("-"):
        return _starting(list(_options(parser, used, current)), current)
    return _of_position(parser, before, current, positional)


def _of_position(parser: argparse.ArgumentParser, before: Sequence[str], current: str, position: int) -> Offers:
    places = [action for action in parser._actions if not action.option_strings]
    for action in places[position : position + 1] or [action for action in places[-1:] if action.nargs in ("*", "+")]:
        return _values(parser, action, before, current, position)
    return Offers(())


def _below(parser: argparse.ArgumentParser, position: int, word: str) -> argparse.ArgumentParser | None:
    places = [action for action in parser._actions if not action.option_strings]
    action = places[position] if position < len(places) else None
    if isinstance(action, argparse._SubParsersAction):
        found = action.choices.get(word)
        return found if isinstance(found, argparse.ArgumentParser) else None
    return None


def _options(parser: argparse.ArgumentParser, used: set[str], current: str) -> Iterator[tuple[str, str]]:
    """Long names first; short ones only where somebody has typed no more than a dash."""
    for action in parser._actions:
        if (action.help == argparse.SUPPRESS and not hasattr(action, "about")) or (action.dest in used and not _repeatable(action)):
            continue
        for name in action.option_strings:
            if name.startswith("--") or not current.startswith("--"):
                yield name, _meaning(action)


def _meaning(action: argparse.Action) -> str:
    return " ".join(str(getattr(action, "about", action.help) or "").split())


def _takes_value(action: argparse.Action) -> bool:
    return action.nargs != 0


def _repeatable(action: argparse.Action) -> bool:
    return (
        getattr(action, "repeated", False)
        or "repeatable" in (action.help or "")
        or type(action).__name__ in ("_AppendAction", "_Ordered", "_ExtendAction")
    )


def _values(parser: argparse.ArgumentParser, action: argparse.Action, before: Sequence[str], current: str, position: int) -> Offers:
    if isinstance(action, argparse._SubParsersAction):
        return _starting([(choice.dest, _meaning(choice)) for choice in action._choices_actions], current)
    if action.choices is not None:
        return _starting([(str(choice), "") for choice in action.choices], current)
    if isinstance(action, FormAction):
        return Offers((), FILES) if "=" in current else _starting([(form, "") for form in action.forms], current)
    from meshcheck.cli.completing import values

    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if metavar in values.FILES:
        return Offers((), FILES)
    make = values.MAKERS.get(metavar)
    if make is None:
        return Offers(())
    found = _starting([(text, "") for text in make(values.Typed(current, _of_the_source(parser, before), position))], current)
    only = found.items[0][0] if len(found.items) == 1 else ""
    return Offers(found.items, NO_FILES | NO_SPACE if only.endswith(("/", ":")) else NO_FILES)


def _of_the_source(parser: argparse.ArgumentParser, before: Sequence[str]) -> tuple[str, ...]:
    """The words without those that only have the name of one of kubectl's options: in `can`, `--as` is who is asked about."""
    others = {n for a in parser._actions if not a.dest.startswith("login_") for n in a.option_strings} & {flag.option for flag in FLAGS}
    follows = {number + 1 for number, word in enumerate(before) if word in others}
    return tuple(w for number, w in enumerate(before) if number not in follows and w.partition("=")[0] not in others)


def _starting(items: list[tuple[str, str]], current: str) -> Offers:
    return Offers(tuple((text, about) for text, about in items if text.startswith(current)))
