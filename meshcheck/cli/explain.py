"""`meshcheck explain`: the page of a rule, and the list of all rules."""

from __future__ import annotations

import argparse
import sys

from meshcheck.cli.outputs import write_file
from meshcheck.errors import UsageError
from meshcheck.lint import registry
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
    p = argparse.ArgumentParser(
        prog="meshcheck explain",
        description="Print the page of a rule of lint: what it finds, why it matters, what to write instead.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
    if options.rule is None:
        sys.stdout.write(index_page(registry.rules(), registry.areas()) if options.output == "markdown" else rule_list(registry.rules(), style))
        return 0
    rule = registry.find(options.rule)
    if rule is None:
        from difflib import get_close_matches

        known = [word for each in registry.rules() for word in (each.code, each.name)]
        near = get_close_matches(options.rule, known, 1)
        raise UsageError(f"no rule `{options.rule}`{f'; did you mean `{near[0]}`?' if near else ''} (`meshcheck explain` lists them)")
    sys.stdout.write(rule_page(rule) if options.output == "markdown" else rule_text(rule, style))
    return 0
