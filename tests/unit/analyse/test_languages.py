"""Sets of texts agree with the matchers that the trace engine uses, and the search finds a member where there is one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshcheck.analyse import languages as sets
from meshcheck.analyse.regexes import language_of, parse
from meshcheck.analyse.spaces import paths
from meshcheck.model.istio_networking import StringMatch
from meshcheck.semantics.authorization.strings import compile_host, compile_path, compile_text, host_pattern, path_pattern, text_pattern
from meshcheck.semantics.request_path import BadPath, normalise
from meshcheck.semantics.routing.match import pattern_of, text_matches

WORDS = st.text("ab/*{}.-", max_size=8)
EXPRESSIONS = [
    "a.*", "(a|b)+c?", "[^/]+/items/[0-9]{2,3}", "(?i)get", r"\d+\.\w*", "/v[12]/(users|orders)(/.*)?", "^/api$", "a{0,2}b", "[a-c-]x",
    ".*",
]  # fmt: skip


@given(WORDS, WORDS)
def test_patterns_of_policies(pattern: str, text: str) -> None:
    """Exact, prefix, suffix, star, and path templates."""
    for compiled, said in (
        (compile_text(pattern), text_pattern(pattern)),
        (compile_text(pattern, empty_counts=True), text_pattern(pattern, empty_counts=True)),
        (compile_host(pattern), host_pattern(pattern)),
        (compile_path(pattern), path_pattern(pattern)),
    ):
        assert sets.contains(language_of((said,)), text) == bool(compiled(text))


@given(st.sampled_from(["exact", "prefix", "segments", "present", "regex"]), WORDS, st.booleans(), WORDS)
def test_patterns_of_routes(kind: str, pattern: str, fold: bool, text: str) -> None:
    """All forms of a match of a route."""
    match = StringMatch(kind, pattern, fold)
    try:
        language = language_of((pattern_of(match),))
    except sets.NotRegularError:
        return
    assert sets.contains(language, text) == text_matches(match, text)


@pytest.mark.parametrize("expression", EXPRESSIONS)
@given(text=st.text("abcGETget/v12.x-items0", max_size=10))
def test_regular_expressions(expression: str, text: str) -> None:
    """As `re` reads them."""
    assert sets.contains(parse(expression), text) == (re.fullmatch(expression, text) is not None)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_shortest_text_is_a_member(expression: str) -> None:
    """What the search finds fits, and the rest of the texts has a member too where the expression is not everything."""
    found = sets.shortest(parse(expression))
    assert found is not None
    assert re.fullmatch(expression, found)
    other = sets.shortest(sets.no(parse(expression)))
    assert other is None or not re.fullmatch(expression, other)


@pytest.mark.parametrize("expression", [r"(?=a)b", r"(a)\1", r"\bword", "a^b", "a{3,900}"])
def test_what_cannot_be_said_is_refused(expression: str) -> None:
    """Looking around, references and the like are said to be impossible, not guessed."""
    with pytest.raises(sets.NotRegularError):
        parse(expression)


def test_nothing_is_found_in_an_empty_set() -> None:
    """A contradiction has no member."""
    get, prefix = sets.text("/api/x"), sets.seq(sets.text("/admin"), sets.ALL)
    assert sets.shortest(sets.all_of((get, prefix))) is None


@pytest.mark.parametrize("level", ["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"])
@given(text=st.text("ab/.%2F4e1C\\;", max_size=9))
def test_paths_are_those_that_normalisation_leaves_as_they_are(level: str, text: str) -> None:
    """A path is in the set exactly when it is its own normal form; and every normal form is in the set."""
    path = "/" + text
    try:
        normal = normalise(path, level)
    except BadPath:
        assert level == "NONE" or not sets.contains(paths(level), path)
        return
    if not re.search("%(?![0-9A-Fa-f]{2})", normal):
        assert sets.contains(paths(level), path) == (normal == path)


def test_lines_of_a_header() -> None:
    """One line that fits is enough on its own; joined, all of them count."""
    a = sets.text("a")
    assert sets.contains(sets.any_line(a), "b\na")
    assert not sets.contains(sets.any_line(a), "b\nab")
    assert sets.contains(sets.joined(sets.text("b,a")), "b\na")
    assert not sets.contains(sets.joined(a), "a\na")
