"""The reader for the bulk, and the test which documents it may read.

A Rust reader of YAML 1.2 takes a fifth of PyYAML's time. It may read a document only when 1.1, 1.2 and Go agree on
every token of it; all others go to `exact_yaml`. tests/unit/load holds both against each other on everything we have.
"""

from __future__ import annotations

import re
from typing import Any

import yaml12

from meshcheck.model.pattern import pattern

_FLOW = str.maketrans("[]{},", "     ")
_WORDS = frozenset(
    form + colon
    for word in ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"]
    for form in (word, word.upper(), word.capitalize())
    for colon in ("", ":")
) - {"true", "false", "null", "~"}  # booleans of YAML 1.1, and keys that are not text
_ODD = pattern(
    r"(?:[-+]?0[0-9a-z_+-]+|[-+]?[0-9_]*_[0-9_]*|[-+]?[0-9_]*\.[0-9_]*|[-+]?[0-9_]*\.?[0-9_]*e[-+]?[0-9_]+|[-+]?[0-9]{18,}):?"  # numbers
    r"|\+.*|[-+]?\.(?:inf|nan):?"
    r"|-?[0-9]+:"  # keys that are numbers
    r"|[&*!%@`:?].*|<<:|\.\.\.",  # anchors, aliases, tags, directives, complex keys, merges, ends
    re.IGNORECASE,
)
_IN_TOKEN = pattern(
    r"[\"']:[^\s]"  # `"a":yes`
    r"|:[,\]}[{]"  # `[a:,b]`: a text to Go
    r"|[\[{,][|>]"  # `[>,b]`: an error to Go
    r"|\{\{"  # a mapping as a key, or a template
)
_WORD = r"(?:-?[0-9]+|[Tt]rue|TRUE|[Ff]alse|FALSE|[Nn]ull|NULL|~|<<)"
_MAYBE_ODD = pattern(rf"(?:^|[ {{,]){_WORD}[,}}]|(?:^| )[|>,}}]")  # words that make it worth while to look for the next
_ACROSS_TOKENS = pattern(
    rf"[{{,]\s*{_WORD}\s*[,}}]"  # `{{8080, true}}`: keys that are no texts
    r"|[\[{,]\s*[|>]|\{[^}\n]*: +[|>]"
)
_FLOW_FIRST = pattern(r"\s*(?:#[^\n]*\n\s*)*[\[{]")
_MAPPING_AS_KEY = pattern(r",\s*\{")
_BLOCK = pattern(r"^((?: |- )*)([^\n]*: +)?[|>][-+0-9]* *(?:#[^\n]*)?\n( *)([^ \n]?)", re.MULTILINE)
_COMMENT = pattern(r"""^[ ]*#[^"'\n]*$""", re.MULTILINE)  # with a quote it might be the inside of a text
_SUSPECT = frozenset("0123456789+-.&*!%@`:?<")
_SPACES = "\t\r\f\v\x1c\x1d\x1e\x1f"  # what Python takes for space between words, and YAML does not
_MOST_BRACKETS = 400


def may_read(text: str) -> bool:
    """Whether the fast reader reads this text as kubectl does."""
    if not text.isascii() or any(character in text for character in _SPACES):
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
    written = " ".join(set(text.split()))  # each word once: a small part of the text
    if not written.isprintable() or _IN_TOKEN.search(written) or (_MAYBE_ODD.search(written) and _ACROSS_TOKENS.search(text)):
        return False
    tokens = set(written.translate(_FLOW).split())
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
        # It reads a flow collection and asks for nothing behind it.
        value = None if _FLOW_FIRST.match(text) else yaml12.parse_yaml(text)
        if value is not None and ("{" not in text or not _MAPPING_AS_KEY.search(text) or _keys_are_texts(value)):
            return value
    except (ValueError, TypeError, RuntimeError):
        pass
    from meshcheck.load import exact_yaml

    return exact_yaml.read(text)  # says where and why in kubectl's way, or knows better


def _keys_are_texts(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _keys_are_texts(item) for key, item in value.items())
    return not isinstance(value, list) or all(map(_keys_are_texts, value))
