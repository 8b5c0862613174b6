"""What a block sets, and what it inherits: most directives hold where the block has none of its own.

Source: the merge functions, ngx_http_*_merge_loc_conf.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshcheck.model.nginx import Directive
from meshcheck.model.record import record
from meshcheck.semantics.nginx.supposing import Undecided

_REFUSING = frozenset(["modsecurity", "SecRulesEnabled", "app_protect_enable", "js_content", "js_access", "perl", "auth_digest"])
_KNOWN = frozenset(["auth_basic", "auth_basic_user_file", "auth_request", "auth_request_set", "auth_delay", "auth_http"])


@record
class Level:
    """A block inside those around it. `directive` is None for the main context's `http` of an empty configuration."""

    directive: Directive | None
    parent: Level | None

    @property
    def children(self) -> tuple[Directive, ...]:
        return (self.directive.block or ()) if self.directive is not None else ()

    def own(self, *names: str) -> tuple[Directive, ...]:
        """Directives of some names that stand in this very block."""
        return tuple(item for item in self.children if item.name in names)

    def setting(self, *names: str) -> tuple[Directive, ...]:
        """Directives of some names in the innermost block that has any of them."""
        level: Level | None = self
        while level is not None:
            if found := level.own(*names):
                return found
            level = level.parent
        return ()

    def last(self, name: str) -> Directive | None:
        """The directive that counts of those that may stand once."""
        found = self.setting(name)
        return found[-1] if found else None

    def upwards(self) -> Iterator[Level]:
        """This block and those around it."""
        level: Level | None = self
        while level is not None:
            yield level
            level = level.parent


def entered(level: Level) -> Level:
    """The level, when all that decides in it is known. Raises Undecided."""
    for outer in level.upwards():
        for item in outer.children:
            if item.name == "include":
                raise Undecided(item.args[0])
            if _may_refuse(item):
                raise Undecided(f"what `{item}` ({item.place}) makes of the call")
    return level


def _may_refuse(item: Directive) -> bool:
    """Whether a directive of another module may refuse the call."""
    name = item.name
    if "_by_lua" in name:
        return name.startswith(("access", "rewrite", "server_rewrite", "content"))
    return (name in _REFUSING or (name.startswith("auth_") and name not in _KNOWN)) and item.args[:1] != ("off",)
