"""Text of an nginx configuration into directives.

Words come from crossplane's lexer and are checked against its tables. The tree is made here: crossplane's own parser opens files and
follows `include` on this machine, while these texts lie in ConfigMaps. Escapes are those of nginx/nginx:src/core/ngx_conf_file.c
(ngx_conf_read_token).
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

from meshcheck.model.nginx import Directive, Source
from meshcheck.model.pattern import pattern

DEEPEST = 50
_ESCAPE = pattern(r"\\([\"'\\trn])")
_CONTROL = {"t": "\t", "r": "\r", "n": "\n"}


class NginxSyntaxError(ValueError):
    """Text that nginx would not start with; the message holds file and line."""


def parse(text: str, file: str, source: Source | None) -> tuple[Directive, ...]:
    """The directives of one file. Raises NginxSyntaxError."""
    from crossplane.errors import NgxParserBaseException
    from crossplane.lexer import _balance_braces, _lex_file_object

    try:
        tokens = _balance_braces(_lex_file_object(StringIO(text if text.endswith("\n") else text + "\n")), file)
        return _block(iter(tokens), file, source, 0)
    except NgxParserBaseException as error:
        raise NginxSyntaxError(f"{error.strerror} in {file}:{error.lineno}") from None


def _block(tokens: Iterator[tuple[str, int, bool]], file: str, source: Source | None, depth: int) -> tuple[Directive, ...]:
    if depth > DEEPEST:
        raise NginxSyntaxError(f"more than {DEEPEST} blocks inside each other in {file}")
    out: list[Directive] = []
    words: list[str] = []
    first = 0
    for token, line, quoted in tokens:
        if token.startswith("#") and not quoted:
            continue
        if quoted or token not in ("{", "}", ";"):
            first = first if words else line
            words.append(_ESCAPE.sub(lambda m: _CONTROL.get(m[1], m[1]), token))
        elif token == "}":
            if words:
                raise NginxSyntaxError(f'directive "{words[0]}" is not terminated by ";" in {file}:{line}')
            return tuple(out)
        elif not words:
            raise NginxSyntaxError(f'unexpected "{token}" in {file}:{line}')
        else:
            name, *args = words
            block = _block(tokens, file, source, depth + 1) if token == "{" else None
            out.append(Directive(name, tuple(_condition(args) if name == "if" else args), block, file, first, source))
            words = []
    if words:
        raise NginxSyntaxError(f'unexpected end of file, expecting ";" or "}}" in {file}:{first}')
    return tuple(out)


def _condition(args: list[str]) -> list[str]:
    """The words of an `if` without its parentheses."""
    if not args or not args[0].startswith("(") or not args[-1].endswith(")"):
        return args
    bare = [*args]
    bare[0] = bare[0][1:]
    bare[-1] = bare[-1][:-1]
    return [word for n, word in enumerate(bare) if word or 0 < n < len(bare) - 1]


def first_fault(tree: tuple[Directive, ...], context: tuple[str, ...] = ()) -> str | None:
    """Why nginx would not start with these directives, as far as crossplane's tables know them; None when nothing is wrong."""
    from crossplane.analyzer import analyze, enter_block_ctx
    from crossplane.errors import NgxParserDirectiveError

    for item in tree:
        if item.name == "include":
            continue
        statement: dict[str, Any] = {"directive": item.name, "line": item.line, "args": list(item.args)}
        try:
            analyze(item.file, statement, "{" if item.block is not None else ";", context)
        except NgxParserDirectiveError as error:
            return f"{error.strerror} in {item.place}"
        if item.block is not None and (fault := first_fault(item.block, enter_block_ctx(statement, context))):
            return fault
    return None
