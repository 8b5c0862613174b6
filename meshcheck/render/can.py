"""Answers about the Kubernetes API as text and Markdown."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from meshcheck.model.objects import Meta, Origin, Path, Place
from meshcheck.model.pattern import pattern
from meshcheck.model.rbac import ApiRequest, subject_of
from meshcheck.model.reason import Reason
from meshcheck.model.record import value
from meshcheck.render.style import Style
from meshcheck.semantics.kubernetes_rbac.aggregation import GrantedRule
from meshcheck.semantics.kubernetes_rbac.message import forbidden
from meshcheck.semantics.kubernetes_rbac.permissions import Decision, Grant

if TYPE_CHECKING:
    from meshcheck.explain.rbac_fixes import RbacFix
    from meshcheck.semantics.kubernetes_rbac.near_misses import NearMiss
    from meshcheck.semantics.kubernetes_rbac.who_can import Allowed

Locate = Callable[[Origin | None, Path], Place | None]
VERDICTS: Mapping[bool | None, str] = {True: "allowed", False: "denied", None: "unknown"}
EMPTY = '""'
_PLAIN = pattern(r"[A-Za-z][A-Za-z0-9./-]*")
_NO_TEXT = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])


@value
class Answer:
    """A request, what RBAC says to it, and what there is to say about that."""

    request: ApiRequest
    decision: Decision
    misses: tuple[NearMiss, ...] = ()
    fixes: tuple[RbacFix, ...] = ()
    notes: tuple[str, ...] = ()


# ---- words ----


def user_words(request: ApiRequest) -> str:
    """`ServiceAccount shop/web`, or the user's name."""
    return subject_of(request.user).words.removeprefix("User ")


def request_words(request: ApiRequest) -> str:
    """`list pods in namespace shop`."""
    if request.path is not None:
        return f"{request.verb} {request.path}"
    what = request.full_resource + (f".{request.group}" if request.group and not request.subresource else "")
    if request.group and request.subresource:
        what = f"{request.resource}.{request.group}/{request.subresource}"
    name = f' "{request.name}"' if request.name else ""
    return f"{request.verb} {what}{name} {f'in namespace {request.namespace}' if request.namespace else 'at the cluster scope'}"


def reason_words(answer: Answer) -> str:
    """Why, in one sentence; the API server's own where it gives one."""
    decision = answer.decision
    if decision.said and decision.allowed is not None:
        return decision.said
    if decision.allowed:
        return "members of system:masters may do everything"
    if decision.missing:
        return f"missing: {'; '.join(decision.missing)}"
    if not answer.misses:
        return "no binding grants it"
    return f"no binding grants it; the nearest: {miss_words(answer.misses[0])}"


def miss_words(miss: NearMiss) -> str:
    through = f"{miss.binding.meta.ref} → " if miss.binding else ""
    return f"{through}{_rule_words(miss.granted)} fails on {' and '.join(_fail_words(fail) for fail in miss.failing)}"


def _rule_words(granted: GrantedRule) -> str:
    return f"{granted.source.meta.ref} rules[{granted.number}]"


def _fail_words(fail: Reason) -> str:
    if fail.text == "binding":
        return f"binding: nobody binds it for {fail.actual}"
    return f"{fail.text}: has {', '.join(text or EMPTY for text in fail.wanted) or 'none'}; asked is {fail.actual}"


# ---- text ----


def can_text(answer: Answer, locate: Locate, style: Style) -> str:
    """The whole answer, ending in a newline."""
    decision = answer.decision
    asked = f"{user_words(answer.request)} {{}} {request_words(answer.request)}"
    if decision.allowed:
        lines = [style.green("✓ allowed") + " — " + asked.format("may"), "", *_deciding(answer, locate, style)]
    else:
        denied = decision.allowed is False
        headline = style.red("✗ 403 Forbidden") if denied else style.yellow("? unknown")
        lines = [f"{headline} — {asked.format('may not' if denied else 'may, or may not,')}", ""]
        lines += [f"  {forbidden(answer.request, decision.said)}", ""] if denied else []
        lines += [f"  {style.yellow('Missing')}  {fact}" for fact in decision.missing]
        lines += [_dangling(grant, locate, style) for grant in decision.dangling]
        lines += _misses(answer.misses, locate, style)
        lines += _fixes(answer.fixes, style)
    lines += [f"  {style.dim('Note')}     {note}" for note in answer.notes]
    return "\n".join(lines).rstrip() + "\n"


def _deciding(answer: Answer, locate: Locate, style: Style) -> Iterator[str]:
    grant, granted = answer.decision.grant, answer.decision.granted
    if grant is None or granted is None:
        yield f"  {reason_words(answer)}, without any binding"
        return
    meta, role = grant.binding.meta, granted.source.meta
    field = ("subjects", grant.subject_index)
    yield f"  {style.bold('Binding')}  {meta.ref} names {grant.subject.words}{_at(meta, field, locate, style)}"
    if role.name != grant.binding.role_name:
        yield f"  {style.bold('Sum')}      {grant.binding.role_kind} {grant.binding.role_name} holds the rules of {role.name}"
    yield f"  {style.bold('Role')}     {_rule_words(granted)}{_at(role, ('rules', granted.number), locate, style)}"
    yield f"           {_lists(granted)}"
    yield ""


def _lists(granted: GrantedRule) -> str:
    rule = granted.rule
    named = (
        ("verbs", rule.verbs),
        ("apiGroups", rule.groups),
        ("resources", rule.resources),
        ("resourceNames", rule.names),
        ("nonResourceURLs", rule.urls),
    )
    return " · ".join(f"{name} {_some([item or EMPTY for item in items])}" for name, items in named if items)


def _some(items: Sequence[str]) -> str:
    return ", ".join(items) if len(items) <= 8 else f"{', '.join(items[:8])} … ({len(items)})"


def _dangling(grant: Grant, locate: Locate, style: Style) -> str:
    binding = grant.binding
    place = _at(binding.meta, ("roleRef",), locate, style)
    return f"  {style.yellow('Dangling')} {binding.meta.ref} names {binding.role_kind} {binding.role_name}, which is not there{place}"


def _misses(misses: Sequence[NearMiss], locate: Locate, style: Style) -> Iterator[str]:
    for number, miss in enumerate(misses):
        label = style.bold("Nearest") if number == 0 else "or     "
        if miss.binding:
            yield f"  {label}  {miss.binding.meta.ref}{_at(miss.binding.meta, (), locate, style)}"
            label = "       "
        through = f"{miss.role.meta.ref} ← " if miss.role is not miss.granted.source else ""
        place = _at(miss.granted.source.meta, ("rules", miss.granted.number), locate, style)
        yield f"  {label}  {through}{_rule_words(miss.granted)}{place}"
        for fail in miss.failing:
            meta = miss.binding.meta if miss.binding and fail.text in ("subject", "scope") else miss.granted.source.meta
            words = _fail_words(fail).replace(": ", " — ", 1) if fail.text != "binding" else "binding — no binding grants this role here"
            yield f"             {style.red('✗')} {words}{_at(meta, fail.field, locate, style) if fail.field else ''}"
        yield from (f"               {style.yellow(hint)}" for hint in miss.hints)
    if misses:
        yield ""


def _fixes(fixes: Sequence[RbacFix], style: Style) -> Iterator[str]:
    shown = next((fix for fix in fixes if fix.objects), None)
    for number, fix in enumerate(fixes):
        label = style.bold("Fix") if number == 0 else "or "
        yield f"  {label}      {fix.description} (checked: the request is then allowed)"
        if fix.also_opens:
            yield f"           {style.yellow('opens more:')} {'; '.join(fix.also_opens)}"
        for ref, patch in fix.patches:
            where = f" -n {ref.namespace}" if ref.namespace else ""
            steps = json.dumps([dict(step) for step in patch], ensure_ascii=False)
            yield f"           kubectl patch {ref.kind.lower()} {ref.name}{where} --type=json -p {shlex.quote(steps)}"
        if fix is shown:
            yield from (f"           {line}" for line in yaml_of(fix.objects).splitlines())
    if fixes:
        yield ""


def yaml_of(objects: Iterable[Mapping[str, Any]]) -> str:
    """Roles and bindings as YAML."""
    return "---\n".join("".join(f"{line}\n" for line in _yaml(item, "")) for item in objects)


def _yaml(item: Mapping[str, Any], pad: str) -> Iterator[str]:
    for key, inside in item.items():
        if isinstance(inside, Mapping):
            yield f"{pad}{key}:"
            yield from _yaml(inside, pad + "  ")
        elif isinstance(inside, list) and inside and isinstance(inside[0], Mapping):
            yield f"{pad}{key}:"
            for entry in inside:
                first, *more = _yaml(entry, pad + "  ")
                yield f"{pad}- {first.removeprefix(pad + '  ')}"
                yield from more
        elif isinstance(inside, list):
            yield f"{pad}{key}: [{', '.join(_scalar(text) for text in inside)}]"
        else:
            yield f"{pad}{key}: {_scalar(inside)}"


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.lower() not in _NO_TEXT else json.dumps(text)


def _at(meta: Meta, field: Path, locate: Locate, style: Style) -> str:
    place = locate(meta.origin, field)
    return style.dim(f"   {place}") if place else ""


def can_markdown(answer: Answer, locate: Locate) -> str:
    """The answer for a ticket or a pull request."""
    allowed = answer.decision.allowed
    sign = "❔" if allowed is None else "✅" if allowed else "❌"
    lines = [f"### {sign} {VERDICTS[allowed]}: {user_words(answer.request)}, {request_words(answer.request)}", ""]
    lines += [f"> {forbidden(answer.request, answer.decision.said)}", ""] if allowed is False else []
    granted = answer.decision.granted
    if granted:
        place = locate(granted.source.meta.origin, ("rules", granted.number))
        lines.append(f"- {reason_words(answer)}: {_rule_words(granted)}" + (f" (`{place}`)" if place else ""))
    elif allowed:
        lines.append(f"- {reason_words(answer)}")
    lines += [f"- **Missing**: {fact}" for fact in answer.decision.missing]
    lines += [f"- **Near miss**: {miss_words(miss)}" + "".join(f"; {hint}" for hint in miss.hints) for miss in answer.misses]
    for fix in answer.fixes:
        lines.append(f"- **Fix**: {fix.description}")
        if fix.objects:
            lines += ["", "  ```yaml", *(f"  {line}" for line in yaml_of(fix.objects).splitlines()), "  ```", ""]
    lines += [f"- {note}" for note in answer.notes]
    return "\n".join(lines).rstrip() + "\n"


def who_text(request: ApiRequest, found: Sequence[Allowed], locate: Locate, notes: Sequence[str], style: Style) -> str:
    """Everybody who may, one a line; Kubernetes' own users are counted only."""
    shown = [item for item in found if not item.of_kubernetes]
    lines = [style.bold(f"{len(found)} may {request_words(request)}"), ""]
    width = max(len(item.subject.words) for item in shown)
    for item in shown:
        through = "needs no binding"
        if item.binding and item.granted:
            place = _at(item.granted.source.meta, ("rules", item.granted.number), locate, style)
            through = f"{item.binding.meta.ref} → {_rule_words(item.granted)}{place}"
        lines.append(f"  {item.subject.words:<{width}}  {through}")
    if own := len(found) - len(shown):
        lines.append(style.dim(f"  and {own} of Kubernetes' own users and groups (`-o json` lists them)"))
    return "\n".join([*lines, "", *(f"  {style.dim('Note')}  {note}" for note in notes)]).rstrip() + "\n"
