"""`meshcheck explain`: the page of a rule, and the list of all rules."""

from __future__ import annotations

import argparse
import sys
from difflib import get_close_matches

from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.outputs import write_file
from meshcheck.errors import UsageError
from meshcheck.lint import registry
from meshcheck.lint.rule import Rule
from meshcheck.render.rule_pages import index_page, rule_list, rule_page, rule_text
from meshcheck.render.style import style_for

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
    p.add_argument("-o", "--output", choices=("text", "markdown"), default="text")
    p.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    p.add_argument("--write", metavar="FOLDER", help="write the pages of all rules as Markdown files")
    return p


def run(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    if options.write:
        rules = registry.rules()
        for rule in rules:
            write_file(f"{options.write}/{rule.code}.md", rule_page(rule))
        write_file(f"{options.write}/README.md", index_page(rules, registry.areas()))
        return 0
    style = style_for(sys.stdout, options.color)
    markdown = options.output == "markdown"
    if options.rule is None:
        rules = registry.rules()
        sys.stdout.write(index_page(rules, registry.areas()) if markdown else rule_list(rules, style))
    else:
        found = _find(options.rule)
        sys.stdout.write(rule_page(found) if markdown else rule_text(found, style))
    return 0


def _find(word: str) -> Rule:
    rule = registry.find(word)
    if rule is None:
        known = [name for each in registry.rules() for name in (each.code, each.name)]
        near = get_close_matches(word, known, 1)
        raise UsageError(f"no rule `{word}`{f'; did you mean `{near[0]}`?' if near else ''} (`meshcheck explain` lists them)")
    return rule
