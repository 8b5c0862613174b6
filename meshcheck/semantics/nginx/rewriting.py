"""The directives of the rewrite module, one after the other: `return`, `rewrite`, `set`, `if`, `break`.

Source: nginx/nginx:src/http/modules/ngx_http_rewrite_module.c, ngx_http_script.c.
"""

from __future__ import annotations

import re

from meshcheck.model.nginx import Directive
from meshcheck.model.record import NamedTuple
from meshcheck.semantics.nginx.levels import Level
from meshcheck.semantics.nginx.patterns import search
from meshcheck.semantics.nginx.run import Answer, Run
from meshcheck.semantics.nginx.supposing import Undecided
from meshcheck.semantics.nginx.variables import Unsure, expand, holds, sure

_ELSEWHERE = ("http://", "https://", "$scheme")
_REDIRECTS = (301, 302, 303, 307, 308)


class Rewritten(NamedTuple):
    """What became of a request. `level` is the block whose settings count from here: that of an `if` that held, or as before."""

    level: Level
    answer: Answer | None
    changed: bool
    """The URI was changed, so a location has to be looked for."""


def execute(run: Run, level: Level) -> Rewritten:
    """Run a block's own directives of the rewrite module; they are not inherited."""
    state = _State(run, level)
    state.block(level.children)
    return Rewritten(state.level, state.answer, state.changed)


class _State:
    def __init__(self, run: Run, level: Level) -> None:
        self.run, self.outer, self.level = run, level, level
        self.answer: Answer | None = None
        self.changed = False

    def block(self, items: tuple[Directive, ...]) -> bool:
        """Whether nothing more is to be done."""
        for item in items:
            if item.name == "if" and item.block is not None:
                if holds(self.run, item):
                    self.level = Level(item, self.outer)
                    if self.block(item.block):
                        return True
            elif item.name == "return":
                self.answer = _returned(self.run, item)
                return True
            elif item.name == "break":
                self.changed = False
                return True
            elif item.name == "set" and len(item.args) == 2:
                value = expand(self.run, item.args[1])
                if not isinstance(value, Unsure):
                    self.run.variables[item.args[0].removeprefix("$")] = value
                else:
                    self.run.variables.pop(item.args[0].removeprefix("$"), None)
            elif item.name == "rewrite" and len(item.args) >= 2 and self._rewrite(item):
                return True
        return False

    def _rewrite(self, item: Directive) -> bool:
        run = self.run
        pattern, replacement, *flags = item.args
        match = search(pattern, run.uri)
        if match is False and run.supposing.ask(f"whether `{item}` ({item.place}) matches `{run.uri}`"):
            raise Undecided(f"what `{item}` ({item.place}) makes of `{run.uri}`")
        if not isinstance(match, re.Match):
            return False
        run.captured(match)
        if replacement.startswith(_ELSEWHERE) or flags[:1] in (["redirect"], ["permanent"]):
            status = 301 if flags[:1] == ["permanent"] else 302
            self.answer = Answer(status, f"`{item}` redirects", item)
            return True
        uri, mark, args = sure(run, replacement).partition("?")
        if not uri.startswith("/"):
            raise Undecided(f"what nginx makes of the URI `{uri}`, which `{item}` ({item.place}) writes without a slash")
        run.uri, run.internal = uri, True
        if mark:
            run.args = args if replacement.endswith("?") else "&".join(part for part in (args, run.args) if part)
        self.changed = flags[:1] != ["break"]
        return bool(flags)


def _returned(run: Run, item: Directive) -> Answer:
    if not item.args[0].isdigit():
        return Answer(302, f"`{item}` redirects", item)
    status = int(item.args[0])
    text = item.args[1] if len(item.args) > 1 else None
    if status == 444:
        return Answer(444, f"`{item}` closes the connection", item)
    if text is None or status in _REDIRECTS:
        return Answer(status, f"`{item}`", item)
    body = expand(run, text)
    return Answer(status, f"`{item}`", item, body="" if isinstance(body, Unsure) else body)
