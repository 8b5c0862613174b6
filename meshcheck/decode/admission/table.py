"""Tables of fields, and the checks that are made of them.

A table is text, one type after the other; a line that begins with white space goes on with the type above:

    NetworkPolicyPort #port_range: endPort int32, port intstr#port, protocol =TCP|UDP|SCTP
    TargetRef: group str:..253~group, kind! str:1..63, name! str:1..253

`name!` is required. Behind the name stands what the field holds:

    str int int32 int64 num bool time quantity bytes intstr    scalars (`intstr`: number or text)
    any  obj                                                   whatever; any mapping
    =A|B                                                       one of these texts (`""` is the empty one)
    Type  [T]  {T}                                             a type of the table, a list, a mapping from text
    T:1..63                                                    bounds of a number, of a text's length, of the count of items
    T~format  T#rule                                           a named format of texts, a named rule; may be repeated
    [T]@  [T]@name+port                                        items differ, or differ in these fields
    T?                                                         null stays a value

Behind the name of a type stand its rules: `#rule`, `%a|b` (at most one of these fields), `:1..1` (count of fields),
`*` (fields that the table does not name are welcome).

Types and their fields are compiled when a value first has them. A check makes no list, no path and no copy for a good value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from meshcheck.decode.admission import words
from meshcheck.decode.admission.faults import NULL, UNKNOWN, Check, Fault, Faults, Format, at
from meshcheck.decode.admission.scalars import SCALARS, Node
from meshcheck.model.pattern import pattern
from meshcheck.model.record import NamedTuple

_HEAD = pattern(r"^(\w+)([^:]*(?::\d*\.\.\d*)?[^:]*):", re.MULTILINE)
_FIELD = pattern(r"\s*(\w+)(!?)\s+([^,\s]+),?")
_BOUNDS = pattern(r":(-?\d*)\.\.(-?\d*)")
_SUFFIX = pattern(r":(-?\d*)\.\.(-?\d*)|~(\w+)|#(\w+)|@([\w+]*)|(\?)")


class _Suffixes(NamedTuple):
    low: int | None
    high: int | None
    formats: tuple[Format, ...]
    rules: tuple[Check, ...]
    unique: tuple[str, ...] | None
    nullable: bool


class Table:
    """Types by name. `lenient_nulls` is the reading of Kubernetes' own kinds: null is the zero value everywhere."""

    def __init__(self, text: str, rules: Mapping[str, Check], formats: Mapping[str, Format], *, lenient_nulls: bool = False) -> None:
        self._sources: dict[str, tuple[str, str]] = {}
        heads = list(_HEAD.finditer(text))
        for head, following in zip(heads, [*heads[1:], None]):
            self._sources[head[1]] = head[2], text[head.end() : following.start() if following else len(text)]
        self._rules, self._formats, self._lenient = rules, formats, lenient_nulls
        self._checks: dict[str, Check] = {}

    def check(self, name: str) -> Check:
        """The check of a type, for values that are mappings."""
        if name not in self._checks:
            self._checks[name] = self._object(name)
        return self._checks[name]

    def compile(self) -> int:
        """Compile all types and fields, which else happens when they are needed; returns how many fields there are. Raises KeyError."""
        written = [text for _, body in self._sources.values() for _, _, text in _FIELD.findall(body)]
        for name in {*self._sources} | {found[1] for text in written if (found := re.match(r"[\[{]*(\w+)", text))} - SCALARS.keys():
            self.check(name)
        return len([self._node(text) for text in written])

    # ---- types ----

    def _object(self, name: str) -> Check:
        head, body = self._sources[name]
        fields: dict[str, str] = {}
        required: list[str] = []
        for field, needed, text in _FIELD.findall(body):
            fields[field] = text
            if needed:
                required.append(field)
        rules: list[Check] = []
        open_ended = False
        for word in head.split():
            if word[0] == "#":
                rules.append(self._rules[word[1:]])
            elif word[0] == "%":
                rules.append(_at_most_one(tuple(word[1:].split("|"))))
            elif word == "*":
                open_ended = True
            elif bounds := _BOUNDS.fullmatch(word):
                rules.append(_count(_number(bounds[1]), _number(bounds[2]), "field"))
        return _fields(fields, self._node, tuple(required), tuple(rules), open_ended)

    def _node(self, text: str) -> Node:
        if text[0] in "[{":
            close = text.rindex("]" if text[0] == "[" else "}")
            inner, suffixes = self._node(text[1:close]), self._suffixes(text[close + 1 :])
            if text[0] == "[":
                return Node(list, _list(inner, suffixes, self._zero(text[1:close])), self._other(list, suffixes))
            return Node(dict, _map(inner, suffixes, self._zero(text[1:close])), self._other(dict, suffixes))
        if text[0] == "=":
            values = tuple("" if word == '""' else word for word in text[1:].rstrip("?").split("|"))
            return Node(str, _one_of(values), self._other(str, self._suffixes("?" if text[-1] == "?" else "")))
        base = re.match(r"\w+", text)
        assert base is not None, text
        suffixes = self._suffixes(text[base.end() :])
        if base[0] in SCALARS:
            checks = [_text(suffixes)] if base[0] in ("str", "time", "bytes") else [_range(suffixes)]
            return SCALARS[base[0]]([c for c in [*checks, *suffixes.rules] if c], suffixes.nullable)
        return Node(dict, self._late(base[0], suffixes.rules), self._other(dict, suffixes))

    def _late(self, name: str, rules: tuple[Check, ...]) -> Check:
        """A type's check, compiled when a value is there to be checked."""
        known: list[Check] = []

        def check(value: Any) -> Faults:
            if not known:
                known.append(self.check(name))
            return known[0](value) or (_first(rules, value) if rules else None)

        return check

    def _suffixes(self, text: str) -> _Suffixes:
        low = high = None
        formats: list[Format] = []
        rules: list[Check] = []
        unique: tuple[str, ...] | None = None
        nullable = False
        for part in _SUFFIX.finditer(text):
            if part[3]:
                formats.append(self._formats[part[3]])
            elif part[4]:
                rules.append(self._rules[part[4]])
            elif part[5] is not None:
                unique = tuple(part[5].split("+")) if part[5] else ()
            elif part[6]:
                nullable = True
            else:
                low, high = _number(part[1]), _number(part[2])
        return _Suffixes(low, high, tuple(formats), tuple(rules), unique, nullable)

    def _zero(self, text: str) -> Any:
        """What Kubernetes reads where a list or mapping of its own kinds holds null; None where null is wrong."""
        if not self._lenient:
            return None
        if text[0] in "[{":
            return [] if text[0] == "[" else {}
        if text[0] == "=":
            return ""
        return {"str": "", "int32": 0, "int64": 0, "quantity": "0", "bytes": ""}.get(re.split("[~#:@]", text)[0], {})

    def _other(self, kind: type, suffixes: _Suffixes) -> Check:
        wanted, nullable = words.of_type(kind), suffixes.nullable

        def other(value: Any) -> Faults:
            if value is None:
                return None if nullable else [Fault((), "null", NULL)]
            return at(f"must be {wanted}, not {words.of(value)}")

        return other


# ---- checks of values whose type is right ----


def _fields(
    fields: dict[str, str], node_of: Callable[[str], Node], required: tuple[str, ...], rules: tuple[Check, ...], open_ended: bool
) -> Check:
    seen: dict[str, Node] = {}
    get = seen.get

    def check(value: dict[str, Any]) -> Faults:
        found: Faults = None
        for key, item in value.items():
            node = get(key)
            if node is None and key in fields:
                node = seen[key] = node_of(fields[key])
            if node is None:
                if open_ended:
                    continue
                bad: Faults = [Fault((), words.unknown(key, fields), UNKNOWN)]
            else:
                kind, inner, other = node
                if type(item) is kind:
                    if inner is None:
                        continue
                    bad = inner(item)
                else:
                    bad = other(item)
            if bad:
                more = [Fault((key, *path), *rest) for path, *rest in bad]
                if found is None:
                    found = more
                else:
                    found += more
        if found is None:
            for name in required:
                if name not in value:
                    return [Fault((), f"`{name}` is required") for name in required if name not in value]
            for rule in rules:  # as `_first`, without the call: this is where the time goes
                if bad := rule(value):
                    return bad
        return found

    return check


def _list(node: Node, suffixes: _Suffixes, zero: Any) -> Check | None:
    kind, inner, other = node
    rules = [*([_count(suffixes.low, suffixes.high, "item")] if (suffixes.low, suffixes.high) != (None, None) else ())]
    if suffixes.unique is not None:
        rules.append(_unique(suffixes.unique))
    rules += suffixes.rules

    def check(value: list[Any]) -> Faults:
        found: Faults = None
        for number, item in enumerate(value):
            if type(item) is kind:
                if inner is None or (bad := inner(item)) is None:
                    continue
            elif (bad := _element(item, other, zero)) is None:
                continue
            if found is None:
                found = []
            found += [Fault((number, *path), *rest) for path, *rest in bad]
        return found or (_first(tuple(rules), value) if rules else None)

    return check


def _map(node: Node, suffixes: _Suffixes, zero: Any) -> Check | None:
    kind, inner, other = node
    rules = (*([_count(suffixes.low, suffixes.high, "entry")] if (suffixes.low, suffixes.high) != (None, None) else ()), *suffixes.rules)

    def check(value: dict[str, Any]) -> Faults:
        found: Faults = None
        for key, item in value.items():
            if type(item) is kind:
                if inner is None or (bad := inner(item)) is None:
                    continue
            elif (bad := other(item) if zero is None else _element(item, other, zero)) is None:
                continue
            if found is None:
                found = []
            found += [Fault((key, *path), *rest) for path, *rest in bad]
        return found or (_first(rules, value) if rules else None)

    return check


def _element(item: Any, other: Check, zero: Any) -> Faults:
    """A list's item that is not of the plain type: null is the zero value of a kind of Kubernetes, and wrong in a CRD."""
    bad = other(item)
    if item is None and bad:
        return at("must not be null") if zero is None else [Fault((), "null", NULL, zero)]
    return bad


def _first(rules: tuple[Check, ...], value: Any) -> Faults:
    for rule in rules:
        if bad := rule(value):
            return bad
    return None


def _text(suffixes: _Suffixes) -> Check | None:
    low, high, formats = suffixes.low, suffixes.high, suffixes.formats
    if low is None and high is None and not formats:
        return None
    if low is None and high is None and len(formats) == 1:
        only = formats[0]
        return lambda value: at(said) if (said := only(value)) else None

    def check(value: str) -> Faults:
        if low is not None and len(value) < low:
            return at("must not be empty" if low == 1 else f"must have at least {low} characters")
        if high is not None and len(value) > high:
            return at(f"must have at most {high} characters, not {len(value)}" if high else "must not be set")
        for form in formats:
            if said := form(value):
                return at(said)
        return None

    return check


def _range(suffixes: _Suffixes) -> Check | None:
    low, high = suffixes.low, suffixes.high
    if low is None and high is None:
        return None

    def check(value: Any) -> Faults:
        if isinstance(value, (int, float)) and ((low is not None and value < low) or (high is not None and value > high)):
            return at(words.outside(value, low, high))
        return None

    return check


def _one_of(values: tuple[str, ...]) -> Check:
    known = frozenset(values)
    return lambda value: None if value in known else at(words.not_one_of(value, values))


def _at_most_one(names: tuple[str, ...]) -> Check:
    def check(value: dict[str, Any]) -> Faults:
        there = [name for name in names if name in value]
        return at(f"only one of {words.listed(there, 'and')} may be set") if len(there) > 1 else None

    return check


def _count(low: int | None, high: int | None, what: str) -> Check:
    plural = "entries" if what == "entry" else f"{what}s"

    def check(value: list[Any] | dict[str, Any]) -> Faults:
        if low is not None and len(value) < low:
            return at(f"must have at least {low} {what if low == 1 else plural}")
        if high is not None and len(value) > high:
            return at(f"must have at most {high} {what if high == 1 else plural}, not {len(value)}")
        return None

    return check


def _unique(keys: tuple[str, ...]) -> Check:
    def check(value: list[Any]) -> Faults:
        seen = set()
        for number, item in enumerate(value):
            key = tuple(repr(item.get(name)) for name in keys) if keys else (repr(item),)
            if key in seen:
                return at(f"the same {words.listed(list(keys), 'and')} as an item before" if keys else f"`{item}` is there twice", number)
            seen.add(key)
        return None

    return check


def _number(text: str) -> int | None:
    return int(text) if text else None
