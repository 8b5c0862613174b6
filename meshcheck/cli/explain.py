"""`meshcheck explain`: the page of a rule, and the list of all rules."""

from __future__ import annotations

import argparse
from difflib import get_close_matches

from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.outputs import add_output_options, outputs_of, write_file, write_outputs
from meshcheck.errors import UsageError
from meshcheck.lint import registry
from meshcheck.lint.rule import Rule
from meshcheck.render.rule_pages import index_page, rule_list, rule_page, rule_text
from meshcheck.render.style import Style

_EXAMPLES = """\
examples:
  meshcheck explain MC213
  meshcheck explain mid-path-wildcard
  meshcheck explain                       # all rules
"""


def parser() -> argparse.ArgumentParser:
    """The options of `explain`."""
    p = CommandParser(
        prog="meshcheck explain",
        description="Print the page of a rule of lint: what it finds, why it matters, what to write instead.",
        epilog=_EXAMPLES,
    )
    p.add_argument("rule", nargs="?", metavar="RULE", help="a code or a name; without it all rules are listed")
    p.add_argument("--write", metavar="FOLDER", help="write the pages of all rules as Markdown files")
    add_output_options(p, ("text", "markdown"))
    return p


def run(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    outputs = outputs_of(options)
    if options.write:
        rules = registry.rules()
        for rule in rules:
            write_file(f"{options.write}/{rule.code}.md", rule_page(rule))
        write_file(f"{options.write}/README.md", index_page(rules, registry.areas()))
        return 0
    rules = registry.rules() if options.rule is None else ()
    found = _find(options.rule) if options.rule is not None else None

    def shown(form: str, style: Style) -> str:
        if found is not None:
            return rule_page(found) if form == "markdown" else rule_text(found, style)
        return index_page(rules, registry.areas()) if form == "markdown" else rule_list(rules, style)

    write_outputs(outputs, shown, options.color)
    return 0


def _find(word: str) -> Rule:
    rule = registry.find(word)
    if rule is None:
        known = [name for each in registry.rules() for name in (each.code, each.name)]
        near = get_close_matches(word, known, 1)
        raise UsageError(f"no rule `{word}`{f'; did you mean `{near[0]}`?' if near else ''} (`meshcheck explain` lists them)")
    return rule
