"""Who may change the policies on a path, as text, Markdown and JSON (in a trace under `who_can_change`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from meshcheck.explain.changers import Changeable, Changer, Changers
from meshcheck.model.objects import Place
from meshcheck.render.style import Style
from meshcheck.render.trace_json import Locate, place_json

_UNKNOWN = "who may change these objects: the input holds no Roles and no bindings; add them, or ask the cluster (`meshcheck who-can`)"
_MASTERS = "members of system:masters may change everything; who may write Roles and bindings may let others"
_OPEN = "bindings outside of the input could let more; `--closed-world` says that there are none"


def changers_text(found: Changers, locate: Locate, style: Style) -> str:
    """The section below a trace."""
    lines: list[str] = []
    for objects, changers in _grouped(found):
        lines.append(f"  {style.bold('Change') if not lines else '      '}  {_words(objects)}")
        lines += [f"            {line}" for line in _rows(changers, locate, style)]
    if not found.known:
        lines.append(f"  {style.yellow('Missing')} {_UNKNOWN}")
    lines += [f"  {style.dim('Note')}    {note}" for note in notes(found)]
    return "\n".join(lines) + "\n"


def changers_markdown(found: Changers, locate: Locate) -> str:
    """The same for a ticket."""
    lines = ["- **Who may change it**" if found.known else f"- **Missing**: {_UNKNOWN}"]
    for objects, changers in _grouped(found):
        lines.append(f"  - {_words(objects)}")
        lines += [f"    - {line.strip()}" for line in _rows(changers, locate, Style(False))]
    return "\n".join([*lines, *(f"  - {note}" for note in notes(found))]) + "\n"


def notes(found: Changers) -> list[str]:
    """What the answer takes for granted."""
    return [_MASTERS, *([] if found.closed or not found.known else [_OPEN])]


def _grouped(found: Changers) -> list[tuple[list[Changeable], tuple[Changer, ...]]]:
    """Objects that the same subjects may change in the same way stand together."""
    groups: dict[tuple[Changer, ...], list[Changeable]] = {}
    for item in found.objects if found.known else ():
        groups.setdefault(item.changers, []).append(item)
    return [(objects, changers) for changers, objects in groups.items()]


def _words(objects: Sequence[Changeable]) -> str:
    """`AuthorizationPolicy shop/cart-viewer; new NetworkPolicies in shop`."""
    new: dict[tuple[str, ...], list[str]] = {}
    for namespace in dict.fromkeys(item.ref.namespace or "" for item in objects if not item.ref.name):
        kinds = tuple(item.ref.kind for item in objects if not item.ref.name and item.ref.namespace == namespace)
        new.setdefault(kinds, []).append(namespace)
    texts = [str(item.ref) for item in objects if item.ref.name]
    for kinds, namespaces in new.items():
        many = ", ".join(f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s" for kind in kinds)
        texts.append(f"new {many} in {' and '.join(namespaces)}")
    return "; ".join(texts)


def _rows(changers: tuple[Changer, ...], locate: Locate, style: Style) -> Iterator[str]:
    shown = [changer for changer in changers if not changer.of_kubernetes]
    width = max((len(changer.subject.words) for changer in shown), default=0)
    verbs = max((len(", ".join(changer.verbs)) for changer in shown), default=0)
    for changer in shown:
        through = ""
        if changer.binding and changer.granted:
            source = changer.granted.source.meta
            place = _place(changer, locate)
            through = f"{changer.binding.meta.ref} → {source.ref} rules[{changer.granted.number}]"
            through += style.dim(f"   {place}") if place else ""
        yield f"{changer.subject.words:<{width}}  {', '.join(changer.verbs):<{verbs}}  {through}".rstrip()
    if own := len(changers) - len(shown):
        yield style.dim(f"{'and ' if shown else 'only '}{own} of Kubernetes' own controllers and groups")
    if not changers:
        yield style.dim("nobody by the roles that are known")


def _place(changer: Changer, locate: Locate) -> Place | None:
    granted = changer.granted
    return locate(granted.source.meta.origin, ("rules", granted.number)) if granted else None


def changers_json(found: Changers, locate: Locate) -> dict[str, Any]:
    """`known` false means that the lists say nothing."""
    return {
        "known": found.known,
        "objects": [
            {
                "object": {**item.ref.as_json(), "name": item.ref.name or None},
                "subjects": [_subject(changer, locate) for changer in item.changers],
            }
            for item in (found.objects if found.known else ())
        ],
        "missing": [] if found.known else [_UNKNOWN],
        "notes": notes(found),
    }


def _subject(changer: Changer, locate: Locate) -> dict[str, Any]:
    subject, granted = changer.subject, changer.granted
    return {
        "kind": subject.kind,
        "name": subject.name,
        "namespace": subject.namespace or None,
        "verbs": list(changer.verbs),
        "binding": changer.binding.meta.ref.as_json() if changer.binding else None,
        "role": granted.source.meta.ref.as_json() if granted else None,
        "rule": granted.number if granted else None,
        "place": place_json(_place(changer, locate)),
    }
