"""Changes of texts as unified diffs."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff

from meshcheck.render.style import Style


def unified(name: str, old: str, new: str, style: Style, context: int = 3) -> str:
    """The change of one file as `diff -u` and `git apply` know it, ending in a line end; empty when nothing changes."""
    if old == new:
        return ""
    lines = unified_diff(_lines(old), _lines(new), f"a/{name.lstrip('/')}", f"b/{name.lstrip('/')}", n=context, lineterm="\n")
    out = []
    for line in lines:
        body = line.rstrip("\r\n")
        out.append(_painted(body, style))
        if not line.endswith("\n"):
            out.append(style.dim("\\ No newline at end of file"))
    return "\n".join(out) + "\n"


def hunks(old: str, new: str, style: Style, context: int = 3, first: int = 1) -> list[str]:
    """The changed lines of a text and some around them, each with its number in front; `first` is that of the text's first line."""
    out: list[str] = []
    before = after = 0
    width = len(str(max(old.count("\n"), new.count("\n")) + first))
    for line in unified_diff(_lines(old), _lines(new), n=context, lineterm="\n"):
        body = line.rstrip("\r\n")
        if not after and line.startswith(("---", "+++")):
            continue
        if line.startswith("@@"):
            if out:
                out.append(style.dim(" " * width + " …"))
            before, after = (int(part.lstrip("-+").partition(",")[0]) + first - 1 for part in body.split()[1:3])
            continue
        sign = line[:1]
        out.append(style.dim(f"{before if sign == '-' else after:>{width}} ") + _painted(body, style))
        before += sign in (" ", "-")
        after += sign in (" ", "+")
    return out


def all_files(texts: Mapping[str, str], edited: Mapping[str, str], style: Style) -> str:
    """The changes of all files; a file that is new is compared with nothing."""
    return "".join(unified(name, texts.get(name, ""), text, style) for name, text in edited.items())


def _lines(text: str) -> list[str]:
    """Lines as `diff` sees them: a line ends at a line feed and nowhere else."""
    return [part + "\n" for part in text.split("\n")[:-1]] + ([text.rpartition("\n")[2]] if text and not text.endswith("\n") else [])


def _painted(line: str, style: Style) -> str:
    if line.startswith(("---", "+++")):
        return style.bold(line)
    if line.startswith("@@"):
        return style.dim(line)
    return style.green(line) if line.startswith("+") else style.red(line) if line.startswith("-") else line
