"""The pages of rules, on a terminal and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from meshcheck.lint.rule import Rule
from meshcheck.render.style import Style

_NEEDS = {
    "document": "one document",
    "documents": "several documents; what is not there may still exist",
    "absence": "all objects of {kinds} (`--closed-world`, or a cluster)",
    "two-worlds": "a state before and one after (`meshcheck diff`)",
    "live": "a cluster",
}


def rule_page(rule: Rule) -> str:
    """A page as Markdown, ending in a newline."""
    rows = "\n".join(f"| {key} | {text} |" for key, text in _facts(rule))
    summary, _, rest = rule.page.strip().partition("\n")
    return f"# {rule.code} {rule.name}\n\n{summary}\n\n| | |\n|---|---|\n{rows}\n\n{rest.strip()}\n"


def rule_text(rule: Rule, style: Style) -> str:
    """A page for a terminal."""
    facts = ", ".join(f"{key.lower()} {text}" for key, text in _facts(rule))
    out = [style.bold(f"{rule.code} {rule.name}"), style.dim(facts), ""]
    code = False
    for line in rule.page.strip().splitlines():
        if line.startswith("```"):
            code = not code
            continue
        out.append(f"    {style.cyan(line)}".rstrip() if code else style.bold(line[3:]) if line.startswith("## ") else _plain(line, style))
    return "\n".join(out) + "\n"


def rule_list(rules: Sequence[Rule], style: Style) -> str:
    """One line for each rule."""
    width = max((len(rule.name) for rule in rules), default=0)
    return "".join(f"{style.bold(rule.code)}  {rule.severity:<8}{rule.name:<{width}}  {style.dim(rule.summary)}\n" for rule in rules)


def index_page(rules: Sequence[Rule], areas: Mapping[str, str]) -> str:
    """All rules by area, as Markdown. `areas`: first digit of the codes → what the area asks."""
    out = ["# Rules of `meshcheck lint`", "", f"{len(rules)} rules. This folder is generated: `meshcheck explain --write docs/rules`.", ""]
    for digit, words in areas.items():
        out += [f"## {words}", "", "| Rule | Severity | Confidence | Needs |", "|---|---|---|---|"]
        out += [
            f"| [{rule.code} {rule.name}]({rule.code}.md): {rule.summary} | {rule.severity} | {rule.confidence} | {_needs(rule)} |"
            for rule in rules
            if rule.code[2] == digit
        ]
        out.append("")
    return "\n".join(out)


def _facts(rule: Rule) -> list[tuple[str, str]]:
    return [("Severity", rule.severity), ("Confidence", rule.confidence), ("For", rule.audience), ("Needs", _needs(rule))]


def _needs(rule: Rule) -> str:
    return _NEEDS[rule.needs].format(kinds=", ".join(rule.kinds))


def _plain(line: str, style: Style) -> str:
    return re.sub(r"`([^`]+)`", lambda found: style.cyan(found[1]) if style.enabled else found[0], line)
