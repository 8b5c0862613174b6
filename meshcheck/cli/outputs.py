"""Several forms of output in one run: `-o text -o sarif=lint.sarif`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

from meshcheck.errors import UsageError
from meshcheck.model.record import NamedTuple
from meshcheck.render.style import Style, style_for


class Output(NamedTuple):
    """A form, and the file that it goes to; None for standard output."""

    form: str
    file: str | None


def outputs_of(given: Sequence[str], forms: Sequence[str]) -> tuple[Output, ...]:
    """What `-o` asks for; the first form on standard output when it asks for nothing there. Raises UsageError."""
    found = []
    for text in given:
        form, sign, file = text.partition("=")
        if form not in forms:
            near = get_close_matches(form, forms, 1)
            raise UsageError(f"no form `{form}`{f'; did you mean `{near[0]}`?' if near else ''} (forms: {', '.join(forms)})")
        if sign and not file:
            raise UsageError(f"`-o {text}` names no file behind the `=`")
        found.append(Output(form, file or None))
    if sum(output.file is None for output in found) > 1:
        raise UsageError("only one form can go to standard output: give the others a file, as in `-o sarif=lint.sarif`")
    return tuple(found) or (Output(forms[0], None),)


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
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        part.write_text(text, encoding="utf-8", errors="replace")
        part.replace(target)
    except OSError as error:
        raise UsageError(f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}") from None
