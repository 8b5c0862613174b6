"""Texts of Calico's selectors into expressions, as Calico's own parser reads them.

Sources: projectcalico/calico:libcalico-go/lib/selector/tokenizer/tokenizer.go, libcalico-go/lib/selector/parser/parser.go. Only blanks
and tabs stand between words; a name that follows a name must be an operator; words of an operator may stand without a blank (`notin`).
"""

from __future__ import annotations

from functools import lru_cache

from meshcheck.model.calico_selectors import Either, Every, Everything, Expression, Global, LabelTest, Negated
from meshcheck.model.pattern import pattern
from meshcheck.model.record import NamedTuple

_NAME = pattern(r"[a-zA-Z0-9_./-]+")
_OPERATOR = pattern(r"(contains|starts[ \t]*with|ends[ \t]*with|not[ \t]*in|in)([ \t]*)")
_MARKS = ("==", "!=", "&&", "||", "(", ")", "{", "}", ",", "!")
_FUNCTIONS = ("has(", "all(", "global(")
_LONGEST_NAME = 512
_WITH_ONE_VALUE = ("==", "!=", "contains", "starts with", "ends with")
_DEEPEST = 200


class _Token(NamedTuple):
    kind: str
    """A mark, an operator, or: label, text, has, all, global, end."""
    text: str = ""


@lru_cache(maxsize=4096)
def parse_selector(text: str) -> Expression:
    """The expression of a selector; of an empty one `all()`. Raises ValueError with what is wrong."""
    tokens = _tokens(text)
    if tokens[0].kind == "end":
        return Everything()
    found, place = _either(tokens, 0, 0)
    if tokens[place].kind != "end":
        raise ValueError(f"`{tokens[place].text or tokens[place].kind}` stands where nothing is expected")
    return found


def _tokens(text: str) -> list[_Token]:
    out: list[_Token] = []
    while rest := text.lstrip(" \t"):
        token, text = _next(rest, bool(out) and out[-1].kind == "label")
        out.append(token)
    return [*out, _Token("end", "its end")]


def _next(text: str, after_label: bool) -> tuple[_Token, str]:
    """The first token of a text that does not begin with a blank, and what is behind it."""
    if text[0] in "\"'":
        end = text.find(text[0], 1)
        if end < 0:
            raise ValueError(f"the text that begins with `{text[:20]}` does not end")
        return _Token("text", text[1:end]), text[end + 1 :]
    for mark in _MARKS:
        if text.startswith(mark):
            return _Token(mark, mark), text[len(mark) :]
    if text[0] in "=&|":
        raise ValueError(f"`{text[0]}` is no operator; write `{text[0] * 2}`")
    if after_label:
        return _operator(text)
    for function in _FUNCTIONS:
        if text.startswith(function):
            return _function(function, text[len(function) :])
    name, rest = _name(text)
    return _Token("label", name), rest


def _operator(text: str) -> tuple[_Token, str]:
    found = _OPERATOR.match(text)
    words = found.group(1).replace(" ", "").replace("\t", "") if found else ""
    spaced = words.replace("with", " with").replace("notin", "not in")
    after = text[len(found.group(0)) if " " in spaced else len(words) :] if found else ""
    if found is None or _NAME.match(after):
        raise ValueError(f"an operator is expected before `{text[:20]}`")
    return _Token(spaced, spaced), after


def _function(function: str, text: str) -> tuple[_Token, str]:
    name, rest = ("", text.lstrip(" \t")) if function != "has(" else _name(text.lstrip(" \t"))
    rest = rest.lstrip(" \t")
    if not rest.startswith(")"):
        raise ValueError(f"`{function}` has no closing parenthesis")
    return _Token(function[:-1], name), rest[1:]


def _name(text: str) -> tuple[str, str]:
    found = _NAME.match(text)
    if found is None or len(found.group(0)) > _LONGEST_NAME:
        raise ValueError(f"the name of a label is expected before `{text[:20]}`")
    return found.group(0), text[found.end() :]


def _either(tokens: list[_Token], place: int, depth: int) -> tuple[Expression, int]:
    found, place = _every(tokens, place, depth)
    operands = [found]
    while tokens[place].kind == "||":
        found, place = _every(tokens, place + 1, depth)
        operands.append(found)
    return (operands[0] if len(operands) == 1 else Either(tuple(operands))), place


def _every(tokens: list[_Token], place: int, depth: int) -> tuple[Expression, int]:
    found, place = _operation(tokens, place, depth)
    operands = [found]
    while tokens[place].kind == "&&":
        found, place = _operation(tokens, place + 1, depth)
        operands.append(found)
    return (operands[0] if len(operands) == 1 else Every(tuple(operands))), place


def _operation(tokens: list[_Token], place: int, depth: int) -> tuple[Expression, int]:
    negated = False
    while tokens[place].kind == "!":
        negated, place = not negated, place + 1
    token = tokens[place]
    found: Expression
    if token.kind == "has":
        found, place = LabelTest(token.text, "has", ()), place + 1
    elif token.kind in ("all", "global"):
        found, place = Everything() if token.kind == "all" else Global(), place + 1
    elif token.kind == "label":
        found, place = _comparison(tokens, place)
    elif token.kind == "(":
        if depth > _DEEPEST:
            raise ValueError("its parentheses are too deep to be read")
        found, place = _either(tokens, place + 1, depth + 1)
        if tokens[place].kind != ")":
            raise ValueError(f"`)` is expected before {tokens[place].text}")
        place += 1
    else:
        raise ValueError(f"an expression is expected before `{token.text}`")
    return (Negated(found) if negated else found), place


def _comparison(tokens: list[_Token], place: int) -> tuple[Expression, int]:
    label, operator = tokens[place].text, tokens[place + 1].kind
    if operator in _WITH_ONE_VALUE:
        if tokens[place + 2].kind != "text":
            raise ValueError(f"a text in quotes is expected behind `{label} {operator}`")
        return LabelTest(label, operator, (tokens[place + 2].text,)), place + 3
    if operator not in ("in", "not in"):
        raise ValueError(f"an operator is expected behind `{label}`")
    if tokens[place + 2].kind != "{":
        raise ValueError(f"a set such as `{{'a', 'b'}}` is expected behind `{label} {operator}`")
    values, place = [], place + 3
    while tokens[place].kind == "text":
        values.append(tokens[place].text)
        place += 1
        if tokens[place].kind != ",":
            break
        place += 1
    if tokens[place].kind != "}":
        raise ValueError(f"`}}` is expected before `{tokens[place].text}`")
    return LabelTest(label, operator, tuple(values)), place + 1
