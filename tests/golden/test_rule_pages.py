"""`docs/rules` is what the rules say of themselves."""

from __future__ import annotations

from pathlib import Path

from meshcheck.lint import registry
from meshcheck.render.rule_pages import index_page, rule_page

DOCS = Path(__file__).resolve().parents[2] / "docs/rules"


def test_the_pages_are_those_of_the_rules() -> None:
    """Stale pages are written again with `meshcheck explain --write docs/rules`."""
    rules = registry.rules()
    wanted = {f"{rule.code}.md": rule_page(rule) for rule in rules} | {"README.md": index_page(rules, registry.areas())}
    found = {file.name: file.read_text(encoding="utf-8") for file in DOCS.glob("*.md")}
    assert found.keys() == wanted.keys()
    stale = [name for name, text in wanted.items() if found[name] != text]
    assert not stale, "run `meshcheck explain --write docs/rules`"
