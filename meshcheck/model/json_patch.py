"""JSON Patch (RFC 6902) on plain values: `add`, `replace`, `remove` and `test`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from meshcheck.errors import MeshcheckError
from meshcheck.model.objects import Path

Step = Mapping[str, Any]
"""`{"op": "add", "path": "/spec/rules/-", "value": {…}}`."""


class PatchError(MeshcheckError):
    """A step that does not fit the value."""


def pointer(path: Path) -> str:
    """`("spec", "rules", 0)` → `/spec/rules/0`."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def words(text: str) -> tuple[str, ...]:
    """`/spec/rules/0` → `("spec", "rules", "0")`. Raises PatchError for what is no pointer."""
    if text and not text.startswith("/"):
        raise PatchError(f"`{text}` is no JSON pointer: it must start with `/`")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def path_in(value: Any, text: str) -> Path:
    """The path that a pointer names inside a value; `-` becomes the length of its list. Raises PatchError where nothing is there.

    The last step may name what is not there yet.
    """
    out: list[str | int] = []
    parts = words(text)
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        if isinstance(value, dict):
            if part not in value and not last:
                raise PatchError(f"`{text}`: there is no `{part}`")
            out.append(part)
            value = value.get(part)
        elif isinstance(value, list):
            number = len(value) if part == "-" else int(part) if part.isascii() and part.isdigit() else -1
            if not 0 <= number <= len(value) - (0 if last else 1):
                raise PatchError(f"`{text}`: a list of {len(value)} has no item `{part}`")
            out.append(number)
            value = value[number] if number < len(value) else None
        else:
            raise PatchError(f"`{text}`: `{part}` would be inside of what is neither a mapping nor a list")
    return tuple(out)


def at(value: Any, path: Sequence[str | int]) -> Any:
    """What stands at a path. Raises PatchError."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            raise PatchError(f"there is no `{pointer(tuple(path))}`") from None
    return value


def applied(value: Any, steps: Iterable[Step]) -> Any:
    """The value with all steps applied; the given value stays as it is. Raises PatchError."""
    for step in steps:
        value = _one(value, step)
    return value


def _one(value: Any, step: Step) -> Any:
    operation, where = step.get("op"), step.get("path")
    if operation not in ("add", "replace", "remove", "test") or not isinstance(where, str):
        raise PatchError(f"`{operation}` is none of add, replace, remove and test, or has no path")
    if operation != "remove" and "value" not in step:
        raise PatchError(f"`{operation}` of `{where}` has no value")
    path = path_in(value, where)
    if operation == "test":
        if not same(at(value, path), step["value"]):
            raise PatchError(f"`{where}` is not what the patch was made for")
        return value
    if not path:
        if operation == "remove":
            raise PatchError("a patch cannot remove the whole object")
        return step["value"]
    if operation != "add":
        at(value, path)
    return _changed(value, path, operation, step.get("value"))


def _changed(value: Any, path: Path, operation: str, new: Any) -> Any:
    """A copy of the value along the path, with the change at its end."""
    key: Any = path[0]
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    if len(path) > 1:
        copy[key] = _changed(copy[key], path[1:], operation, new)
    elif operation == "remove":
        del copy[key]
    elif operation == "add" and isinstance(copy, list):
        copy.insert(key, new)
    else:
        copy[key] = new
    return copy


def same(a: Any, b: Any) -> bool:
    """Whether two values are the same JSON: 1 is not true, and the order of keys does not matter."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(item, b[key]) for key, item in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and bool(a == b)


def difference(old: Any, new: Any, path: Path = ()) -> Iterator[Step]:
    """The steps that make one value of another, each as deep down as it can be."""
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and old and new:
        for key in old:
            if key not in new:
                yield {"op": "remove", "path": pointer((*path, key))}
        for key, item in new.items():
            if key in old:
                yield from difference(old[key], item, (*path, key))
            else:
                yield {"op": "add", "path": pointer((*path, key)), "value": item}
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        yield from _lists(old, new, path)
    else:
        yield {"op": "replace", "path": pointer(path), "value": new}


def _lists(old: list[Any], new: list[Any], path: Path) -> Iterator[Step]:
    """Items that both lists start and end with stay; of those between, as many as both have are changed in place."""
    head = 0
    while head < min(len(old), len(new)) and same(old[head], new[head]):
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    both = min(len(before), len(after))
    for number in range(both):
        yield from difference(before[number], after[number], (*path, head + number))
    for number in range(len(before) - 1, both - 1, -1):
        yield {"op": "remove", "path": pointer((*path, head + number))}
    for number, item in enumerate(after[both:], head + both):
        yield {"op": "add", "path": pointer((*path, number)), "value": item}
