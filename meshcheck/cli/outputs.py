"""Several forms of output in one run, the same for every command: `-o text -o sarif=lint.sarif`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from meshcheck.errors import UsageError
from meshcheck.model.record import NamedTuple
from meshcheck.render.style import Style, style_for

BATCH = "jsonl"
"""The form of answers to `--batch`."""


class Output(NamedTuple):
    """A form, and the file that it goes to; None for standard output."""

    form: str
    file: str | None


class FormAction(argparse.Action):
    """Collects `-o FORM` and `-o FORM=FILE`."""

    def __init__(self, forms: Sequence[str], **given: Any) -> None:
        super().__init__(**given)
        self.forms = tuple(forms)

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None) -> None:
        try:
            found = _output(str(values), self.forms)
        except UsageError as error:
            parser.error(str(error))
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), found])


def add_output_options(parser: argparse.ArgumentParser, forms: Sequence[str], *, batch: bool = False) -> argparse._ArgumentGroup:
    """Give a command `-o` and `--color`; the first form is what it prints by itself. `batch`: answers to `--batch` have a form, too."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o",
        "--output",
        dest="outputs",
        metavar="FORM[=FILE]",
        action=FormAction,
        forms=(*forms, *([BATCH] if batch and BATCH not in forms else ())),
        default=[],
        help=f"{', '.join(forms)}; repeatable, one without a file ({forms[0]})",
    )
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colours (auto: on a terminal)")
    group.set_defaults(usual_form=forms[0])
    return group


def outputs_of(options: argparse.Namespace) -> tuple[Output, ...]:
    """What `-o` asks for; the usual form on standard output when it asks for nothing. Raises UsageError."""
    found: list[Output] = options.outputs
    if sum(output.file is None for output in found) > 1:
        raise UsageError("only one form can go to standard output: give the others a file, as in `-o json=report.json`")
    return tuple(found) or (Output(options.usual_form, None),)


def refuse_other_than_jsonl(options: argparse.Namespace) -> None:
    """Answers to a batch have one form. Raises UsageError where another is asked for."""
    if any(output != Output(BATCH, None) for output in options.outputs):
        raise UsageError("`--batch` answers in `-o jsonl` only")


def printed_form(outputs: Sequence[Output]) -> str | None:
    """The form on standard output; None where everything goes to files."""
    return next((output.form for output in outputs if output.file is None), None)


def _output(text: str, forms: Sequence[str]) -> Output:
    from difflib import get_close_matches

    form, sign, file = text.partition("=")
    if form not in forms:
        near = get_close_matches(form, forms, 1)
        raise UsageError(f"`-o {form}`: no such form{f'; did you mean `{near[0]}`?' if near else ''} (forms: {', '.join(forms)})")
    if sign and not file:
        raise UsageError(f"`-o {text}` names no file behind the `=`")
    return Output(form, file or None)


def write_outputs(outputs: Sequence[Output], render: Callable[[str, Style], str], color: str) -> None:
    """Render each form once and write it: files first, so that they are there when the reader of standard output goes away."""
    for output in sorted(outputs, key=lambda o: o.file is None):
        if output.file is not None:
            write_file(output.file, render(output.form, Style(False)))
        else:
            text = render(output.form, style_for(sys.stdout, color))
            sys.stdout.write(text.encode("utf-8", "replace").decode())


def write_file(path: str, text: str) -> None:
    """Write a file whole or not at all; folders on the way are made. Raises UsageError."""
    from pathlib import Path

    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        part.write_text(text, encoding="utf-8", errors="replace")
        part.replace(target)
    except OSError as error:
        raise UsageError(f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}") from None
