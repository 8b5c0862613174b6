"""Whether a document may hold a key twice: a quick look at its lines that never misses one.

It may say yes where there is none (the exact reader then looks), never no where there is one. tests/property holds it to that.
"""

from __future__ import annotations

import re
from typing import Any

from meshcheck.model.pattern import pattern

_PLAIN = r"[^:\n]*(?::(?=\S)[^:\n]*)*"
_KEY = pattern(rf"""^( *)((?:- +)*)("(?:[^"\\\n]|\\.)*" *|'(?:[^'\n]|'')*' *|[^\s"'#-]{_PLAIN}|-\S{_PLAIN}):(?=[ \n]|\Z)""", re.MULTILINE)
_QUOTED_LINE = pattern(r"""^[^"'\n]*["'][^\n]*$""", re.MULTILINE)
_FLOW_LINE = pattern(r"^[^\n]*[{][^\n]*$", re.MULTILINE)
_FLOW_KEY = pattern(r"""("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,:{}\[\]"']+) *:""")
_COMPLEX_KEY = pattern(r"^ *(?:- +)*\? ", re.MULTILINE)


def has_all_keys(text: str, value: Any) -> bool:
    """Whether a value certainly has every key of its text, so that none stands twice. Most documents are done with by this.

    Each key of a text in plain words is followed by a colon and white space, so there are no more keys than of these. `repr` shows each
    key in quotes with a colon and a space behind it; where the text itself has such signs, nothing is certain.
    """
    if "': " in text or '": ' in text or "\\" in text:
        return False
    shown = repr(value)
    return text.count(": ") + text.count(":\n") + text.endswith(":") == shown.count("': ") + shown.count('": ')


def may_repeat_keys(text: str) -> bool:
    """Whether some mapping of the text may have a key twice."""
    if "\t" in text or "<<" in text or ("? " in text and _COMPLEX_KEY.search(text)):
        return True
    if (("'" in text or '"' in text) and _quotes_go_on(text)) or ("{" in text and _in_flow(text)):
        return True
    scopes: list[tuple[int, set[str]]] = []
    for indent, dashes, key in _KEY.findall(text):
        start = len(indent)
        while scopes and scopes[-1][0] > start:  # a dash ends the item before it, too
            scopes.pop()
        start += len(dashes)
        word = key.rstrip()
        if key[0] in "\"'":
            word = word[1:-1]
            if "\\" in word:
                return True
        if scopes and scopes[-1][0] == start:
            if word in scopes[-1][1]:
                return True
            scopes[-1][1].add(word)
        else:
            scopes.append((start, {word}))
    return False


def _quotes_go_on(text: str) -> bool:
    """Whether a quoted text may go over several lines, whose indentation then says nothing."""
    return any(line.count('"') % 2 or line.count("'") % 2 for line in _QUOTED_LINE.findall(text))


def _in_flow(text: str) -> bool:
    """Whether a flow mapping may: one goes over several lines, or a key stands twice on its line."""
    for line in _FLOW_LINE.findall(text):
        if line.count("{") != line.count("}"):
            return True
        keys = _FLOW_KEY.findall(line)
        if len({key.strip("\"'") for key in keys}) != len(keys):
            return True
    return "}" in _FLOW_LINE.sub("", text)
