"""All rules, found by their files: `rules/AREA/mcNNN_name.py` holds the rule `MCNNN`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files

from meshcheck.lint.rule import Rule

_ROOT = "meshcheck.lint.rules"


def modules() -> dict[str, str]:
    """Code → module of each rule, by code. Nothing of them is imported."""
    found = {}
    for area in files(_ROOT).iterdir():
        if area.is_dir() and not area.name.startswith("_"):
            for file in area.iterdir():
                if file.name.startswith("mc") and file.name.endswith(".py"):
                    found[file.name[:5].upper()] = f"{_ROOT}.{area.name}.{file.name[:-3]}"
    return dict(sorted(found.items()))


def rules() -> tuple[Rule, ...]:
    """All rules, by code."""
    return tuple(_load(modules()))


def find(code: str) -> Rule | None:
    """A rule by its code (`MC112`, `mc-112`) or its name; only its file is imported when it is asked for by code."""
    known = modules()
    wanted = code.strip().upper().replace("-", "") if code[:2].upper() == "MC" else ""
    if wanted in known:
        return next(_load({wanted: known[wanted]}))
    return next((rule for rule in rules() if rule.name == code.strip().lower()), None)


def areas() -> dict[str, str]:
    """First digit of the codes → what the area is about, as its folder says."""
    folders = sorted({module.rpartition(".")[0] for module in modules().values()})
    words = (import_module(folder).__doc__ or "" for folder in folders)
    return {text[0]: text.strip() for text in sorted(words)}


def _load(found: dict[str, str]) -> Iterator[Rule]:
    for module in found.values():
        loaded = import_module(module)
        rule = next((item for name in ("check", "claims", "reviews") if isinstance(item := getattr(loaded, name, None), Rule)), None)
        if rule is None:
            raise TypeError(f"`{module}` defines no rule: none of `check`, `claims` and `reviews` is decorated")
        yield rule
