"""Calico's selectors are read as Calico's parser reads them (libcalico-go/lib/selector), and refused where it refuses them."""

from __future__ import annotations

import pytest

from meshcheck.decode.calico_selectors import parse_selector
from meshcheck.model.calico_selectors import UNREAD

LABELS = {"app": "web", "role": "", "tier/x.y": "front-end", "in": "yes"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        (" \t", True),
        ("all()", True),
        ("all( )", True),
        ("!all()", False),
        ("!!all()", True),
        ("global()", True),
        ("app == 'web'", True),
        ('app=="web"', True),
        ("app == 'Web'", False),
        ("none == ''", False),
        ("role == ''", True),
        ("app != 'web'", False),
        ("none != 'web'", True),
        ("app in {'db', 'web'}", True),
        ("app in {'db',}", False),
        ("app in {}", False),
        ("none in {'a'}", False),
        ("none not in {'a'}", True),
        ("app notin {'web'}", False),
        ("app not  in{'db'}", True),
        ("has(app)", True),
        ("has( app )", True),
        ("has(none)", False),
        ("!has(none)", True),
        ("tier/x.y contains 'nt-e'", True),
        ("tier/x.y starts with 'front'", True),
        ("tier/x.y startswith 'end'", False),
        ("tier/x.y ends with 'end'", True),
        ("tier/x.y ends\twith 'front'", False),
        ("none contains ''", False),
        ("in in {'yes'}", True),
        ("has(none) && has(app) || all()", True),
        ("has(none) && (has(app) || all())", False),
        ("! has(none) && has(app)", True),
        ("!(has(none) || has(app))", False),
    ],
)
def test_what_a_selector_means(text: str, holds: bool) -> None:
    """Missing labels fail every comparison but `!=` and `not in`; `&&` binds closer than `||`, `!` closest."""
    assert parse_selector(text).holds(LABELS.get) is holds


@pytest.mark.parametrize(
    "text",
    [
        "app",
        "app = 'web'",
        "app == web",
        "app == 'web",
        "app == 'web' &",
        "app == 'web' &&",
        "app == 'web' has(b)",
        "app in 'web'",
        "app in {'a' 'b'}",
        "app in {a}",
        "app contains {'a'}",
        "app containsx 'a'",
        "app not inx {'a'}",
        "has(app",
        "has()",
        "all(",
        "(has(a)",
        "has(a))",
        "a == 'b'\n",
        "app ~ 'web'",
        "== 'b'",
        "a" * 513 + " == 'b'",
    ],
)
def test_what_is_no_selector(text: str) -> None:
    """Texts that Calico refuses are refused, with words that name what was expected."""
    with pytest.raises(ValueError, match="`"):
        parse_selector(text)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("x == 'a'", None),
        ("!has(x)", None),
        ("x == 'a' && has(none)", False),
        ("x == 'a' || has(app)", True),
        ("x == 'a' || has(none)", None),
    ],
)
def test_labels_that_were_not_read(text: str, holds: bool | None) -> None:
    """A label of which nobody knows leaves open what hinges on it, and nothing else."""
    assert parse_selector(text).holds(lambda key: UNREAD if key == "x" else LABELS.get(key)) is holds


@pytest.mark.parametrize("text", ["a == 'b' && !(c in {'d', 'e'} || has(f))", 'x starts with "it\'s" || !all()', "global()"])
def test_the_words_of_an_expression_mean_the_same(text: str) -> None:
    """What is printed of an expression is read as the same expression."""
    found = parse_selector(text)
    assert parse_selector(str(found)) == found
