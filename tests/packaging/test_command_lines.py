"""Every command line of meshcheck that stands in a document, a script or a help text is one that the real parsers take."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshcheck.cli.completing.offers import parser_of
from meshcheck.cli.main import COMMANDS
from meshcheck.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
PLACES = (
    "*.md", "*.yml", "*.yaml", "Dockerfile", ".pre-commit-hooks.yaml", ".krew.yaml", "ci/**/*", ".ci/*", ".github/**/*.yml", "docs/**/*.md",
    "charts/**/*", "manifests/**/*.md", "manifests/install/**/*", "tests/**/README.md",
)  # fmt: skip
_LINE = re.compile(r"(^|[\s`(\"'>$])(?:kubectl[ -])?meshcheck ((?:[a-z][a-z-]*)\b[^`\n]*)", re.MULTILINE)
_ASIDE = re.compile(r" {3,}\S.*")
"""What stands behind a command line in a help text."""
_END = re.compile(r"^(?:[|&;<>()]+|#.*)$")
_VALUES = {"$MESHCHECK_FAIL_ON": "error", "${INPUT_FAIL_ON:-error}": "error", "${INPUT_DIFF_FAIL_ON:-never}": "never"}


def _texts() -> Iterator[tuple[str, str]]:
    for pattern in PLACES:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and path.suffix not in (".png", ".tgz"):
                yield str(path.relative_to(ROOT)), path.read_text(errors="replace")
    for command in COMMANDS:
        parser = parser_of(command)
        assert parser is not None
        yield f"{command} --help", parser.epilog or ""


def _command_lines() -> Iterator[tuple[str, str, bool]]:
    for place, text in _texts():
        joined = re.sub(r"\\\n\s*", " ", text)
        if place.startswith("ci/gitlab"):
            joined = re.sub(r"\n +(-o )", r" \1", joined)  # a folded text
        for found in _LINE.finditer(joined):
            words = _ASIDE.sub("", found[2].strip())
            if words.split()[0] in COMMANDS and "…" not in words:
                yield place, words, found[1] == "`"


FOUND = sorted(set(_command_lines()))


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    with contextlib.suppress(ValueError):  # an apostrophe of the sentence around it
        for word in lexer:
            if _END.match(word):
                break
            if word.endswith("[@]}") or (word.startswith("$") and (not words or not words[-1].startswith("-"))):
                continue  # what a script puts in
            words.append(_VALUES.get(word, word))
    return words


def test_there_are_command_lines() -> None:
    """The extraction itself works: the documents that matter have some."""
    places = {place for place, _, _ in FOUND}
    assert {"README.md", "ci/gitlab/meshcheck.yml", "ci/github/lint.sh", ".krew.yaml", ".pre-commit-hooks.yaml", "trace --help"} <= places
    assert len(FOUND) > 40


@pytest.mark.parametrize(("place", "line", "mention"), FOUND)
def test_the_real_parser_takes_it(place: str, line: str, mention: bool) -> None:
    """No option that does not exist, no value that no choice offers; a mention in a sentence names options that exist."""
    command, *words = _words(line)
    parser = parser_of(command)
    assert parser is not None
    if not words or not any(word.startswith("-") or "/" in word for word in words):
        return  # `meshcheck lint` in the middle of a sentence
    if mention or {"-h", "--help"} & set(words):
        known = {name for action in parser._actions for name in action.option_strings}
        assert {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"} <= known, f"{place}: {line}"
        return
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            parser.parse_intermixed_args(words) if command in ("can", "who-can", "proxy") else parser.parse_args(words)
    except (SystemExit, UsageError) as error:
        pytest.fail(f"{place}: `meshcheck {line}`: {said.getvalue() or error}")
