"""Frozen classes that cost nothing at start-up.

The standard `dataclasses` imports `inspect` and compiles six methods for each class: about a millisecond a class, for fifty classes half of
the time that `meshcheck trace` takes. These decorators make one method a class. Type checkers treat them as frozen dataclasses.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


def _frozen(self: object, name: str, *_: object) -> NoReturn:
    raise AttributeError(f"`{type(self).__name__}.{name}` cannot be changed")


def _shown(self: Any) -> str:
    return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, name) for name in self.__slots__)


def _equal(self: Any, other: object) -> bool:
    return type(self) is type(other) and _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


@dataclass_transform(frozen_default=True, eq_default=False)
def record(cls: type[T]) -> type[T]:
    """A frozen class with slots; each object is equal to itself only."""
    return _made(cls, {})


@dataclass_transform(frozen_default=True, eq_default=True)
def value(cls: type[T]) -> type[T]:
    """A frozen class with slots; objects with equal fields are equal."""
    return _made(cls, {"__eq__": _equal, "__hash__": _hash})


def _made(cls: type[T], more: dict[str, Any]) -> type[T]:
    names = tuple(vars(cls).get("__annotations__", ()))  # `inspect.get_annotations` would import what this file avoids
    body = {key: item for key, item in vars(cls).items() if key not in ("__dict__", "__weakref__", *names)}
    defaults = {f"default_{name}": vars(cls)[name] for name in names if name in vars(cls)}
    arguments = ", ".join(f"{name}=default_{name}" if f"default_{name}" in defaults else name for name in names)
    scope: dict[str, Any] = {"put": object.__setattr__, **defaults}
    exec(f"def __init__(self, {arguments}):\n" + "".join(f"    put(self, {name!r}, {name})\n" for name in names), scope)
    made: Any = type(cls.__name__, cls.__bases__, {**body, "__slots__": names, "__init__": scope["__init__"], "__repr__": _shown, **more})
    made.__qualname__ = cls.__qualname__
    made.__setattr__ = made.__delattr__ = _frozen
    result: type[T] = made
    return result


def replace(item: T, **changes: Any) -> T:
    """A copy of a record with some fields changed."""
    cls: Any = type(item)
    fields = {name: getattr(item, name) for name in cls.__slots__}
    if strange := changes.keys() - fields.keys():
        raise TypeError(f"`{cls.__name__}` has no field {', '.join(sorted(strange))}")
    made: T = cls(**{**fields, **changes})
    return made
