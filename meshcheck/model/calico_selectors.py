"""Calico's selectors: expressions over labels. An answer is None where it hangs on a label that was not read.

Source: projectcalico/calico:libcalico-go/lib/selector/parser/ast.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from meshcheck.model.record import value


class Unread:
    """The value of a label of which nobody knows whether it is there."""


UNREAD = Unread()
Look = Callable[[str], "str | Unread | None"]
"""The value of a label; None where there is no such label."""


@value
class LabelTest:
    """One comparison. `operator` is `==`, `!=`, `in`, `not in`, `contains`, `starts with`, `ends with` or `has`.

    `!=` and `not in` hold where there is no such label; all others need it.
    """

    key: str
    operator: str
    values: tuple[str, ...]

    def holds(self, look: Look) -> bool | None:
        """Whether labels satisfy it."""
        found = look(self.key)
        if isinstance(found, Unread):
            return None
        if found is None:
            return self.operator in ("!=", "not in")
        if self.operator == "has":
            return True
        if self.operator in ("==", "in"):
            return found in self.values
        if self.operator in ("!=", "not in"):
            return found not in self.values
        wanted = self.values[0]
        if self.operator == "contains":
            return wanted in found
        return found.startswith(wanted) if self.operator == "starts with" else found.endswith(wanted)

    def __str__(self) -> str:
        if self.operator == "has":
            return f"has({self.key})"
        quoted = [f"'{item}'" if "'" not in item else f'"{item}"' for item in self.values]
        return f"{self.key} {self.operator} " + (f"{{{', '.join(quoted)}}}" if self.operator in ("in", "not in") else quoted[0])


@value
class Everything:
    """`all()`, and a selector without a text."""

    def holds(self, look: Look) -> bool | None:
        """It does."""
        return True

    def __str__(self) -> str:
        return "all()"


@value
class Global:
    """`global()`: what is in no namespace, in the selector of namespaces of a rule; as `all()` elsewhere."""

    def holds(self, look: Look) -> bool | None:
        """As Calico's parser has it."""
        return True

    def __str__(self) -> str:
        return "global()"


@value
class Negated:
    """`!` before an expression."""

    operand: Expression

    def holds(self, look: Look) -> bool | None:
        """The contrary; None stays None."""
        found = self.operand.holds(look)
        return None if found is None else not found

    def __str__(self) -> str:
        return f"!{self.operand}"


@value
class Every:
    """Expressions with `&&` between them."""

    operands: tuple[Expression, ...]

    def holds(self, look: Look) -> bool | None:
        """Whether all hold."""
        return every(item.holds(look) for item in self.operands)

    def __str__(self) -> str:
        return f"({' && '.join(map(str, self.operands))})"


@value
class Either:
    """Expressions with `||` between them."""

    operands: tuple[Expression, ...]

    def holds(self, look: Look) -> bool | None:
        """Whether one holds."""
        return either(item.holds(look) for item in self.operands)

    def __str__(self) -> str:
        return f"({' || '.join(map(str, self.operands))})"


Expression = LabelTest | Everything | Global | Negated | Every | Either


def every(answers: Iterable[bool | None]) -> bool | None:
    """False where one is False, else None where one is None."""
    result: bool | None = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


def either(answers: Iterable[bool | None]) -> bool | None:
    """True where one is True, else None where one is None."""
    result: bool | None = False
    for answer in answers:
        if answer is True:
            return True
        if answer is None:
            result = None
    return result


def rewritten(expression: Expression, prefix: str, everything: Expression | None = None, outside: Expression | None = None) -> Expression:
    """The expression over labels with a prefix, with something else in the place of `all()` and of `global()`.

    Source: projectcalico/calico:libcalico-go/lib/backend/syncersv1/updateprocessors/{rules,selectors}.go.
    """
    if isinstance(expression, LabelTest):
        return LabelTest(prefix + expression.key, expression.operator, expression.values)
    if isinstance(expression, Everything):
        return everything or expression
    if isinstance(expression, Global):
        return outside or expression
    if isinstance(expression, Negated):
        return Negated(rewritten(expression.operand, prefix, everything, outside))
    made = tuple(rewritten(item, prefix, everything, outside) for item in expression.operands)
    return Every(made) if isinstance(expression, Every) else Either(made)
