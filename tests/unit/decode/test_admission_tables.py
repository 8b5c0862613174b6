"""The language of the tables: what each notation accepts and refuses."""

from __future__ import annotations

from typing import Any

import pytest

from meshcheck.decode.admission.faults import NULL, REFUSED, UNKNOWN, at
from meshcheck.decode.admission.table import Table

TABLE = """
Root %one|other :..9 #not_both: text str, short str:1..3, whole int32:1..10, number num:0..1, flag bool, choice =A|B|"",
    share intstr, size quantity, moment time, list [Item]:1..2@name, set [str]@, map {int}:..2, inner Item, any any, object obj,
    nullable bool?, form str~lower, one str, other str
Item: name! str, more str
Open *: known str
"""
RULES = {"not_both": lambda value: at("not both", "text") if "text" in value and "form" in value else None}
FORMATS = {"lower": lambda text: None if text.islower() else "is not lower case"}
ROOT = Table(TABLE, RULES, FORMATS).check("Root")
LENIENT = Table(TABLE, RULES, FORMATS, lenient_nulls=True).check("Root")


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"text": ""},
        {"short": "abc"},
        {"whole": 10},
        {"number": 1},
        {"number": 0.5},
        {"flag": False},
        {"choice": ""},
        {"share": 1},
        {"share": "25%"},
        {"size": "1.5Gi"},
        {"size": 2},
        {"moment": "2024-01-31T12:00:00.5+01:00"},
        {"list": [{"name": "a"}, {"name": "b", "more": "c"}]},
        {"set": ["a", "b"]},
        {"map": {"a": 1}},
        {"any": [1, None]},
        {"object": {"x": None}},
        {"nullable": None},
        {"form": "abc"},
    ],
)
def test_good_values_have_no_faults(value: dict[str, Any]) -> None:
    """Nothing is said, and no list is made, for a good value."""
    assert ROOT(value) is None


@pytest.mark.parametrize(
    ("value", "path", "said"),
    [
        ({"text": 1}, ("text",), "must be text, not the number 1; put it in quotes"),
        ({"text": True}, ("text",), "must be text, not the boolean true; put it in quotes"),
        ({"text": []}, ("text",), "must be text, not a list"),
        ({"short": ""}, ("short",), "must not be empty"),
        ({"short": "abcd"}, ("short",), "must have at most 3 characters, not 4"),
        ({"whole": 11}, ("whole",), "must be between 1 and 10, not 11"),
        ({"whole": "5"}, ("whole",), "must be a whole number, not text (`5`)"),
        ({"whole": True}, ("whole",), "must be a whole number, not the boolean true"),
        ({"whole": 1.5}, ("whole",), "must be a whole number, not the number 1.5"),
        ({"whole": 2**31}, ("whole",), "`2147483648` does not fit into 32 bits"),
        ({"number": "1"}, ("number",), "must be a number, not text (`1`)"),
        ({"flag": "yes"}, ("flag",), "must be true or false, not text (`yes`)"),
        ({"choice": "a"}, ("choice",), "`a` is not one of `A` and `B`; did you mean `A`?"),
        ({"share": []}, ("share",), "must be a whole number or text, not a list"),
        ({"size": "1 GB"}, ("size",), "`1 GB` is not a quantity such as `100m` or `64Mi`"),
        ({"moment": "yesterday"}, ("moment",), "`yesterday` is not a time such as `2024-01-31T12:00:00Z`"),
        ({"list": []}, ("list",), "must have at least 1 item"),
        ({"list": {}}, ("list",), "must be a list, not a mapping"),
        ({"list": [{"name": "a"}, {"name": "a"}]}, ("list", 1), "the same `name` as an item before"),
        ({"list": [{}]}, ("list", 0), "`name` is required"),
        ({"list": [None]}, ("list", 0), "must not be null"),
        ({"set": ["a", "a"]}, ("set", 1), "`a` is there twice"),
        ({"map": {"a": "1"}}, ("map", "a"), "must be a whole number, not text (`1`)"),
        ({"map": {"a": 1, "b": 2, "c": 3}}, ("map",), "must have at most 2 entries, not 3"),
        ({"inner": "x"}, ("inner",), "must be a mapping, not text (`x`)"),
        ({"form": "Abc"}, ("form",), "is not lower case"),
        ({"one": "", "other": ""}, (), "only one of `one` and `other` may be set"),
        ({"text": "a", "form": "b"}, ("text",), "not both"),
    ],
)
def test_each_fault_has_its_path_and_words(value: dict[str, Any], path: tuple[str | int, ...], said: str) -> None:
    """One fault, at the right place, in words that say what would be right."""
    faults = ROOT(value)
    assert faults is not None
    assert [(fault.path, fault.message, fault.code) for fault in faults] == [(path, said, REFUSED)]


def test_unknown_fields_are_told_apart_and_a_near_name_is_offered() -> None:
    """An unknown field is no refusal."""
    faults = ROOT({"list": [{"name": "a", "mor": "b"}]})
    assert faults is not None
    assert [(fault.path, fault.code) for fault in faults] == [(("list", 0, "mor"), UNKNOWN)]
    assert "did you mean `more`?" in faults[0].message


def test_open_types_welcome_any_field() -> None:
    """`*` stands for fields that the table does not name."""
    assert Table(TABLE, RULES, FORMATS).check("Open")({"whatever": 1}) is None


def test_null_is_absence_in_mappings_and_zero_in_lists_of_kubernetes() -> None:
    """What is read in place of null stands in the fault."""
    absent, zero = LENIENT({"text": None}), LENIENT({"set": [None]})
    assert absent is not None
    assert zero is not None
    assert (absent[0].code, zero[0].code, zero[0].path, zero[0].put) == (NULL, NULL, ("set", 0), "")


def test_several_faults_of_one_value_are_all_reported() -> None:
    """Types are checked to the end."""
    faults = ROOT({"text": 1, "flag": 2, "list": [{"name": 3}]})
    assert faults is not None
    assert {fault.path for fault in faults} == {("text",), ("flag",), ("list", 0, "name")}
