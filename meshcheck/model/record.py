"""Frozen classes and named tuples that cost nothing at start-up.

`dataclasses` imports `inspect` and compiles six methods for each class, `typing.NamedTuple` compiles one and asks for much more: together a
good part of the time of a small `meshcheck trace`, and most of these classes are never used by it. What is here makes a class as fast as
Python makes one; how its objects are made is settled with the first of them. Type checkers see frozen dataclasses and named tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform

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
    written = vars(cls)
    names = tuple(written.get("__annotations__", ()))  # `inspect.get_annotations` would import what this file avoids
    defaults = {name: written[name] for name in names if name in written}
    body = {key: item for key, item in written.items() if key not in defaults and key not in ("__dict__", "__weakref__")}
    body |= {"__slots__": names, "__init__": _first_init(names, defaults), "__repr__": _shown, **more}
    body |= {"__setattr__": _frozen, "__delattr__": _frozen, "__qualname__": cls.__qualname__}
    made: type[T] = type(cls.__name__, cls.__bases__, body)
    return made


def _first_init(names: tuple[str, ...], defaults: Mapping[str, Any]) -> Callable[..., None]:
    """An `__init__` that makes the real one, and stands aside for it."""

    def __init__(self: Any, *given: Any, **named: Any) -> None:
        cls: Any = type(self)
        cls.__init__ = init = _renamed(_init_of, names, defaults)
        init(self, *given, **named)

    return __init__


def _init_of(count: int) -> CodeType:
    """The code of an `__init__` of some fields."""
    lines = "".join(f"    _put(_self, 'f{n}', f{n})\n" for n in range(count))
    return _code("__init__", f"(_self, {_places(count)}):\n    pass\n{lines}")


def _new_of(count: int) -> CodeType:
    """The code of a named tuple's `__new__`."""
    return _code("__new__", f"(_cls, {_places(count)}):\n    return _new(_cls, ({_places(count)}))\n")


def _places(count: int) -> str:
    return "".join(f"f{n}, " for n in range(count))


def _code(name: str, text: str) -> CodeType:
    scope: dict[str, Any] = {}
    exec(f"def {name}{text}", scope)
    code: CodeType = scope[name].__code__
    return code


_codes: dict[tuple[Callable[[int], CodeType], int], CodeType] = {}


def _renamed(code_of: Callable[[int], CodeType], names: tuple[str, ...], defaults: Mapping[str, Any]) -> Callable[..., Any]:
    """A function of the fields. Compiling is what costs, so one is compiled for each number of fields, and lent to all others."""
    key = code_of, len(names)
    code = _codes.get(key) or _codes.setdefault(key, code_of(len(names)))
    lent = {f"f{n}": name for n, name in enumerate(names)}
    code = code.replace(
        co_varnames=(*code.co_varnames[:1], *names),
        co_consts=tuple(lent.get(const, const) if isinstance(const, str) else const for const in code.co_consts),
    )
    given = tuple(defaults[name] for name in names if name in defaults)
    return FunctionType(code, {"_put": object.__setattr__, "_new": tuple.__new__}, code.co_name, given)


def replace(item: T, **changes: Any) -> T:
    """A copy of a record with some fields changed."""
    cls: Any = type(item)
    names: tuple[str, ...] = cls.__slots__
    if strange := changes.keys() - names:
        raise TypeError(f"`{cls.__name__}` has no field {', '.join(sorted(strange))}")
    made: T = cls(*[changes[name] if name in changes else getattr(item, name) for name in names])
    return made


if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: TID251 what this stands for
else:
    from _collections import _tuplegetter as _field  # what `collections.namedtuple` reads fields with

    class _NamedTuples(type):
        def __new__(meta, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if bases != (tuple,):
                names = tuple(body.get("__annotations__", ()))
                defaults = {name: body[name] for name in names if name in body}
                body.update((name, _field(at, None)) for at, name in enumerate(names))
                body |= {"__slots__": (), "_fields": names, "__match_args__": names, "__new__": _first_new(names, defaults)}
            return super().__new__(meta, name, bases, body)

    class NamedTuple(tuple, metaclass=_NamedTuples):
        """As `typing.NamedTuple`."""

        __slots__ = ()

        @classmethod
        def _make(cls, values: Iterable[Any]) -> NamedTuple:
            return cls(*values)

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self))

        def _replace(self, **changes: Any) -> NamedTuple:
            return type(self)(**{**self._asdict(), **changes})

        def __repr__(self) -> str:
            return f"{type(self).__name__}({', '.join(f'{name}={item!r}' for name, item in zip(self._fields, self))})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

    def _first_new(names: tuple[str, ...], defaults: Mapping[str, Any]) -> Callable[..., NamedTuple]:
        """A `__new__` that makes the real one, and stands aside for it."""

        def __new__(cls, *given: Any, **named: Any) -> NamedTuple:
            cls.__new__ = new = _renamed(_new_of, names, defaults)
            return new(cls, *given, **named)

        return __new__
