"""What a project wants of lint: which rules, how severe, what is let through. The table `lint` of its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from meshcheck.errors import UsageError
from meshcheck.lint.rule import Rule
from meshcheck.model.finding import SEVERITIES, Confidence
from meshcheck.model.record import record, value

OFF = "off"
LEVELS = (*SEVERITIES, "never")
"""What may stand in `fail-on`, from worst to never."""


@value
class Excused:
    """A suppression in the settings. Empty patterns mean everything."""

    codes: tuple[str, ...]
    object: str
    """Pattern of `KIND NAMESPACE/NAME`, with `*` and `?`."""
    path: str
    """Pattern of the file's path."""
    reason: str


@record
class Settings:
    """Settings of lint, with their defaults."""

    select: tuple[str, ...] = ()
    """Codes, beginnings of codes (`MC2`), or names of the rules to run; all when empty."""
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, str] = {}
    """Code or name → error, warning, info or off."""
    pedantic: bool = False
    """Whether rules of low confidence speak."""
    fail_on: str = "error"
    allow_unknown: bool = False
    """Whether a run passes although a cluster did not let everything be read that could make it fail."""
    require_reason: bool = False
    """Whether a suppression without a reason counts for nothing."""
    closed_world: bool = False
    baseline: str | None = None
    suppress: tuple[Excused, ...] = ()


def decode_settings(values: Mapping[str, Any], where: str) -> Settings:
    """The table `lint`. Raises UsageError that names the key and the nearest known one."""
    table = values.get("lint", {})
    _refuse_unknown(values, ("lint",), where, "")
    if not isinstance(table, dict):
        raise UsageError(f"{where}: `lint` must be a table")
    _refuse_unknown(table, tuple(_READERS), where, "lint.")
    read = {key.replace("-", "_"): _READERS[key](given, f"{where}: `lint.{key}`") for key, given in table.items()}
    return Settings(**read)


def chosen(rules: tuple[Rule, ...], settings: Settings) -> tuple[Rule, ...]:
    """The rules that settings ask for. Raises UsageError for a word that means no rule."""
    for word in (*settings.select, *settings.ignore, *settings.severity):
        if not any(means(word, rule) for rule in rules):
            known = [name for rule in rules for name in (rule.code, rule.name)]
            near = get_close_matches(word, known, 1)
            raise UsageError(f"no rule `{word}`{f'; did you mean `{near[0]}`?' if near else ''} (`meshcheck explain` lists them)")
    off = tuple(word for word, level in settings.severity.items() if level == OFF)
    return tuple(
        rule
        for rule in rules
        if (not settings.select or any(means(word, rule) for word in settings.select))
        and not any(means(word, rule) for word in (*settings.ignore, *off))
        and wants(settings, rule.confidence, rule.code, rule.name)
    )


def wants(settings: Settings, confidence: Confidence, code: str, name: str) -> bool:
    """Whether a rule or a finding of it is sure enough; low confidence is for the pedantic, and for rules asked for by code or name."""
    return settings.pedantic or confidence != "low" or any(word in (code, name) for word in settings.select)


def means(word: str, rule: Rule) -> bool:
    """Whether a word of the settings means a rule: its code, the beginning of its code, or its name."""
    code = word.upper().replace("-", "")
    return rule.name == word or (code.startswith("MC") and rule.code.startswith(code)) or word == "all"


def _refuse_unknown(table: Mapping[str, Any], known: tuple[str, ...], where: str, prefix: str) -> None:
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, 1)
            raise UsageError(f"{where}: no setting `{prefix}{key}`{f'; did you mean `{prefix}{near[0]}`?' if near else ''}")


def _words(given: Any, where: str) -> tuple[str, ...]:
    items = [given] if isinstance(given, str) else given
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise UsageError(f"{where} must be a list of texts")
    return tuple(items)


def _switch(given: Any, where: str) -> bool:
    if not isinstance(given, bool):
        raise UsageError(f"{where} must be true or false")
    return given


def _text(given: Any, where: str) -> str:
    if not isinstance(given, str):
        raise UsageError(f"{where} must be a text")
    return given


def _level(given: Any, where: str) -> str:
    if given not in LEVELS:
        raise UsageError(f"{where} must be one of {', '.join(LEVELS)}")
    return str(given)


def _severities(given: Any, where: str) -> Mapping[str, str]:
    if not isinstance(given, dict) or not all(level in (*SEVERITIES, OFF) for level in given.values()):
        raise UsageError(f"{where} must be a table of rule = one of {', '.join((*SEVERITIES, OFF))}")
    return given


def _excused(given: Any, where: str) -> tuple[Excused, ...]:
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise UsageError(f"{where} must be a list of tables (`[[lint.suppress]]`)")
    out = []
    for item in given:
        _refuse_unknown(item, ("code", "codes", "object", "path", "reason"), where, "")
        codes = _words(item.get("codes", item.get("code", [])), f"{where}.codes")
        texts = {key: _text(item.get(key, ""), f"{where}.{key}") for key in ("object", "path", "reason")}
        if not codes:
            raise UsageError(f"{where}: each entry needs `code`")
        out.append(Excused(codes, **texts))
    return tuple(out)


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "select": _words,
    "ignore": _words,
    "severity": _severities,
    "pedantic": _switch,
    "fail-on": _level,
    "require-reason": _switch,
    "closed-world": _switch,
    "allow-unknown": _switch,
    "baseline": _text,
    "suppress": _excused,
}
