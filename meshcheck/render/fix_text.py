"""A fix under its description: as a change of the text, as JSON Patch, or as commands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from meshcheck.model.json_patch import Step
from meshcheck.model.objects import ObjectRef
from meshcheck.model.trace import Fix
from meshcheck.patch.layout import Layout, lines_of
from meshcheck.patch.preview import Preview
from meshcheck.render.diff_text import hunks
from meshcheck.render.style import Style


def fix_lines(fix: Fix, previews: Sequence[Preview], form: str, style: Style, kubectl: Sequence[str] = ()) -> list[str]:
    """The lines under a fix. Where a text cannot be changed, a command stands in its place.

    `kubectl`: its options that say which cluster is meant.
    """
    if form == "diff":
        lines: list[str] = []
        heads: set[str] = set()
        for shown in previews:
            head, *change = _change(shown, style, kubectl)
            lines += [*([head] if head not in heads else []), *change]
            heads.add(head)
        return lines
    return [line for ref, steps in fix.patches for line in _patch(ref, steps, form, style, kubectl)]


def _change(shown: Preview, style: Style, kubectl: Sequence[str]) -> list[str]:
    change = shown.change
    if change.origin is not None and change.origin.in_cluster:
        what = "new in the cluster" if change.new is not None else f"{change.object} in the cluster"
        steps = change.steps if change.new is None else ({"op": "add", "path": "", "value": change.new},)
        return [style.dim(f"{what}, with"), *command(change.object, steps, kubectl)]
    where = change.origin.file if change.origin is not None else ""
    if shown.new is None:
        said = f"{where}: {shown.reason}" if where else shown.reason
        return [style.dim(f"the text is not changed: {said}"), *command(change.object, change.steps, kubectl)]
    if change.new is not None:
        head = f"new, at the end of {where}" if where else "new"
        return [style.dim(head), *(style.green(f"+{line}") for line in shown.new.splitlines())]
    return [style.dim(where), *hunks(shown.old, shown.new, style, first=shown.line)]


def _patch(ref: ObjectRef, steps: Sequence[Step], form: str, style: Style, kubectl: Sequence[str]) -> Iterable[str]:
    if form == "kubectl":
        return command(ref, steps, kubectl)
    new = steps[0]["value"] if steps[0]["path"] == "" else None
    if form == "json":
        return [style.dim(f"# {ref}"), *json.dumps(new if new is not None else [dict(step) for step in steps], indent=2).splitlines()]
    return [style.dim(f"# {ref}"), *lines_of(new if new is not None else [dict(step) for step in steps], Layout())]


def command(ref: ObjectRef, steps: Sequence[Step], kubectl: Sequence[str] = ()) -> list[str]:
    """The command that makes the change in a cluster. `kubectl`: its options that say which."""
    import shlex

    if steps and steps[0]["path"] == "":
        return [f"{shlex.join(['kubectl', 'apply', *kubectl, '-f', '-'])} <<'EOF'", *lines_of(steps[0]["value"], Layout()), "EOF"]
    group = ref.api_version.rpartition("/")[0]
    kind = f"{ref.kind.lower()}.{ref.api_version.rpartition('/')[2]}.{group}" if group else ref.kind.lower()
    namespace = ["-n", ref.namespace] if ref.namespace else []
    patch = json.dumps([dict(step) for step in steps], separators=(",", ":"))
    return [shlex.join(["kubectl", "patch", kind, ref.name, *namespace, *kubectl, "--type", "json", "-p", patch])]
