"""Regular expressions as RE2 matches them: whole texts, in reasonable time, with RE2's names for sets of letters."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshcheck.semantics.expressions import fits

REPEATED = ["(a+)+$", "(a|b)*c?", "(a*)*b", "a*b*a*b*", "(ab|a)*(b|ba)*", "(?i)A+b*", "[ab]{2,5}c*a*", ".*a.*b.*", "^(a|bc)+$"]


@given(st.sampled_from(REPEATED), st.text("abcA", max_size=18))
def test_long_texts_are_matched_as_short_ones_are(expression: str, text: str) -> None:
    """Beyond some length another way is taken; the answer is Python's, as long as that comes to one."""
    assert fits(expression, text) == (re.fullmatch(expression, text) is not None)


@pytest.mark.parametrize("expression", ["/(a+)+$", "/(a|a?)+c", "/(a*)*c", "/((a*)*b*)*c", "/(a|aa)+$", "/a*a*a*a*a*a*a*a*a*c"])
def test_repetitions_in_repetitions_come_to_an_end(expression: str) -> None:
    """Python's own engine would try for longer than anybody lives."""
    assert not fits(expression, "/" + "a" * 3000 + "!")
    assert fits(expression, "/" + "a" * 3000) == (not expression.endswith("c"))


@pytest.mark.parametrize(
    ("expression", "text", "answer"),
    [("[[:alpha:]]+", "abc", True), ("[[:alpha:]]+", "a1", False), ("/[_[:digit:]]+", "/1_2", True), ("[^[:space:]]*", "a b", False)],
)
def test_names_of_sets_of_letters(expression: str, text: str, answer: bool) -> None:
    """As google/re2:doc/syntax.txt has them."""
    assert fits(expression, text) is answer


@pytest.mark.parametrize("expression", ["(", "a**", "(" * 300])
def test_what_is_no_expression_matches_nothing(expression: str) -> None:
    """Envoy would not take it."""
    assert not fits(expression, expression)
