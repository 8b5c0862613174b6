"""The reader for the bulk, and the test which documents it may read.

A Rust reader of YAML 1.2 takes a fifth of PyYAML's time. It may read a document only when 1.1, 1.2 and Go agree on
every token of it; all others go to `exact_yaml`. tests/unit/load holds both against each other on everything we have.
"""

from __future__ import annotations

import re
from typing import Any

import yaml12

_FLOW = str.maketrans("[]{},", "     ")
_WORDS = frozenset(
    form + colon
    for word in ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"]
    for form in (word, word.upper(), word.capitalize())
    for colon in ("", ":")
) - {"true", "false", "null", "~"}  # booleans of YAML 1.1, and keys that are not text
_ODD = re.compile(
    r"(?:[-+]?0[0-9a-z_+-]+|[-+]?[0-9_]*_[0-9_]*|[-+]?[0-9_]*\.[0-9_]*|[-+]?[0-9_]*\.?[0-9_]*e[-+]?[0-9_]+|[-+]?[0-9]{18,}):?"  # numbers
    r"|\+.*|[-+]?\.(?:inf|nan):?"
    r"|-?[0-9]+:"  # keys that are numbers
    r"|[&*!%@`:?].*|<<:|\.\.\.",  # anchors, aliases, tags, directives, complex keys, merges, ends
    re.IGNORECASE,
)
_FLOW_ODD = re.compile(  # one class in front, and no flags: that is what makes the search quick
    r"[\[{,:\"'](?:"
    r"(?<=[\"']):[^\s]"  # `"a":yes`
    r"|(?<=:)[,\]}[{]"  # `[a:, b]`: a text to Go
    r"|(?<=[\[{,]) *[|>]|(?<=\{)[^}\n]*: +[|>]"  # `[>, b]`: an error to Go
    r"|(?<=[{,])\s*(?:-?[0-9]+|[Tt]rue|TRUE|[Ff]alse|FALSE|[Nn]ull|NULL|~|<<)\s*[,}]"  # `{8080, true}`: keys that are no texts
    r"|(?<=\{)\{)"  # a mapping as a key, or a template
)
_BLOCK = re.compile(r"^((?: |- )*)([^\n]*: +)?[|>][-+0-9]* *(?:#[^\n]*)?\n( *)([^ \n]?)", re.MULTILINE)
_COMMENT = re.compile(r"""^[ ]*#[^"'\n]*$""", re.MULTILINE)  # with a quote it might be the inside of a text
_SUSPECT = frozenset("0123456789+-.&*!%@`:?<")
_MOST_BRACKETS = 400


def may_read(text: str) -> bool:
    """Whether the fast reader reads this text as kubectl does."""
    if (
        not text.isascii()
        or "\t" in text
        or "\r" in text
        or "\0" in text
        or "\f" in text
        or "\v" in text
        or "\x1b" in text
        or "\x7f" in text
    ):
        return False
    if (
        text.count("[") + text.count("{") > _MOST_BRACKETS
        or " " * 200 in text
        or text.count("-  ") > _MOST_BRACKETS
        or "- - - - - - - -" in text
    ):
        return False
    if ("|" in text or ">" in text) and not _blocks_are_plain(text):
        return False
    if "#" in text:
        text = _COMMENT.sub("", text)
    if _FLOW_ODD.search(text):
        return False
    tokens = set(text.translate(_FLOW).split())
    return tokens.isdisjoint(_WORDS) and not any(token[0] in _SUSPECT and _ODD.fullmatch(token) for token in tokens)


def _blocks_are_plain(text: str) -> bool:
    """Whether each block of text has lines of its own, the first of them not blank, and ends with a line end."""
    if not text.endswith("\n"):
        return False
    for block in _BLOCK.finditer(text):
        around, key, indent, first = block.groups()
        if not first or len(indent) <= len(around) - (0 if key else 2):
            return False
    return True


def read(text: str) -> Any:
    """One document's value; the caller has asked `may_read`."""
    try:
        return yaml12.parse_yaml(text)
    except (ValueError, TypeError, RuntimeError):
        from meshcheck.load import exact_yaml

        return exact_yaml.read(text)  # says where and why in kubectl's way, or knows better
