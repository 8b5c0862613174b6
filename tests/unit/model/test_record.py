"""Records and named tuples behave as those of the standard library do, and patterns as compiled ones."""

from __future__ import annotations

import copy
import re
import typing

import pytest

from meshcheck.model.pattern import pattern
from meshcheck.model.record import NamedTuple, record, replace, value


class Ours(NamedTuple):
    """A named tuple with names that its own making might use."""

    new: int
    cls: str = "c"
    made: tuple[int, ...] = ()

    @property
    def twice(self) -> int:
        return 2 * self.new


class Theirs(typing.NamedTuple):
    """The same, of the standard library."""

    new: int
    cls: str = "c"
    made: tuple[int, ...] = ()


def test_a_named_tuple_is_one() -> None:
    """Fields, defaults, order, equality, hash, unpacking, copies: as of the standard library."""
    for made in (Ours, Theirs):
        item = made(1, made=(2,))
        assert (item.new, item.cls, item.made) == (1, "c", (2,)) == tuple(item)
        assert item == (1, "c", (2,))
        assert hash(item) == hash((1, "c", (2,)))
        assert item._replace(new=5) == (5, "c", (2,))
        assert type(item._replace(cls="d")) is made
        assert item._asdict() == {"new": 1, "cls": "c", "made": (2,)}
        assert made._make([7, "x", ()]) == (7, "x", ())
        assert repr(item) == f"{made.__name__}(new=1, cls='c', made=(2,))"
        assert type(copy.deepcopy(item)) is made
        assert copy.deepcopy(item) == item
        assert made._fields == made.__match_args__ == ("new", "cls", "made")
        match item:
            case (first, "c", _):
                assert first == 1
        with pytest.raises(AttributeError):
            item.new = 3  # type: ignore[misc]
        with pytest.raises(AttributeError):
            item.more = 3  # type: ignore[attr-defined]
        for wrong in ({}, {"new": 1, "strange": 2}):
            with pytest.raises(TypeError):
                made(**wrong)
        with pytest.raises(TypeError):
            made(1, "c", (), 4)  # type: ignore[call-arg]
        with pytest.raises((TypeError, ValueError)):
            item._replace(strange=1)
    assert Ours(4).twice == 8
    assert sorted([Ours(2), Ours(1)]) == [Ours(1), Ours(2)]


@record
class Plain:
    """A record with names that its own making might use."""

    put: int
    self: str = "s"
    made: tuple[int, ...] = ()


@value
class Equal:
    """A value."""

    a: int
    b: str = "b"


def test_a_record_is_frozen_and_has_its_defaults() -> None:
    """Objects of a record differ, those of a value are equal where their fields are; neither changes."""
    first, second = Plain(1), Plain(1, self="s")
    assert (first.put, first.self, first.made) == (1, "s", ())
    assert first != second
    assert Equal(1) == Equal(1, "b")
    assert hash(Equal(1)) == hash(Equal(1))
    assert Equal(1) != Equal(2)
    assert replace(Equal(1), b="c") == Equal(1, "c")
    assert repr(Equal(1)) == "Equal(a=1, b='b')"
    assert Equal.__qualname__ == "Equal"
    assert Equal.__doc__ == "A value."
    assert not hasattr(first, "__dict__")
    with pytest.raises(AttributeError, match=r"`Plain.put` cannot be changed"):
        first.put = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del first.put
    with pytest.raises(TypeError):
        Plain()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        replace(first, strange=1)


def test_a_pattern_is_a_compiled_one() -> None:
    """What is asked of a pattern is what `re.compile` answers, flags too; a wrong one fails where it is used."""
    ours, theirs = pattern("a(B)", re.IGNORECASE), re.compile("a(B)", re.IGNORECASE)
    for text in ("ab", "xAB", ""):
        for ask in ("match", "search", "fullmatch"):
            assert bool(getattr(ours, ask)(text)) == bool(getattr(theirs, ask)(text))
    assert ours.sub("-", "ab.AB") == "-.-"
    assert ours.findall("ab AB") == theirs.findall("ab AB")
    assert ours.pattern == "a(B)"
    assert pattern(rb"\d+").search(b"a12")[0] == b"12"  # type: ignore[index]
    with pytest.raises(re.error):
        pattern("(").match("")
