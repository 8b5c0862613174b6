"""Sets of texts agree with the matchers that the trace engine uses, and the search finds a member where there is one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshcheck.analyse.regexes import language_of, parse
from meshcheck.analyse.spaces import paths
from meshcheck.model.istio_networking import StringMatch
from meshcheck.semantics import languages as sets
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


def _contains(*words: str) -> list[sets.Language]:
    return [language_of((("contains", word, False),)) for word in words]


HOSTILE = {
    "stars in stars": lambda: [parse("(" * 60 + "a+" + ")*" * 60 + "b"), parse("(a*)*(b*)*c")],
    "the nth letter from the end": lambda: [parse(".*a.{40}"), sets.no(parse(".*b.{39}"))],
    "a thousand optional letters": lambda: [parse("a?" * 1000), sets.no(parse("a*"))],
    "a group of a thousand letters": lambda: [parse("(" + "ab" * 500 + ")c"), parse(".*d")],
    "a thousand alternatives": lambda: [parse("|".join(f"a{n}b{n * 7919 % 1000}" for n in range(1000))), sets.no(parse("a[0-9]*b[0-9]*"))],
    "forty words in any order": lambda: _contains(*(f"k{n}z{n}" for n in range(40))),
    "none of two hundred words": lambda: [*map(sets.no, _contains(*(f"k{n}z{n}" for n in range(200)))), parse("k.{200}")],
    "long texts that nearly repeat": lambda: [*_contains("ab" * 2500), sets.no(*_contains("ba" * 2500))],
    "two hundred long hosts": lambda: [
        language_of(tuple(("suffix", f".h{n}." + "e" * 200, True) for n in range(200))),
        language_of(tuple(("prefix", f"x{n}." + "e" * 200, True) for n in range(200))),
    ],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_patterns_come_to_an_end(name: str) -> None:
    """There is an answer, and it is right, or the patterns are said to be too much: the same each time, by steps, not by a clock."""
    outcomes = []
    for _ in range(2):
        try:
            both = sets.all_of(HOSTILE[name]())
            found = sets.shortest(both)
            outcomes.append(found)
            assert found is None or sets.contains(both, found)
        except sets.NotRegularError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("expression", ["((a{200}){200}){200}", "(((a|b){0,200}c){0,200}){0,200}"])
def test_counts_in_counts_are_refused(expression: str) -> None:
    """Written out they would be millions of letters."""
    with pytest.raises(sets.NotRegularError):
        parse(expression)
