"""`meshcheck lint`: what a cluster would refuse or drop, and what is probably not meant."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.lint_fixing import show_fixes, write_fixes
from meshcheck.cli.live import settle_namespace
from meshcheck.cli.outputs import BATCH, add_output_options, outputs_of, refuse_other_than_jsonl, write_outputs
from meshcheck.cli.sources import add_source_options, read_sources
from meshcheck.cli.world import world_of, world_of_line
from meshcheck.errors import MeshcheckError, UnreadableError, UsageError
from meshcheck.lint import registry
from meshcheck.lint.evidence import Evidence
from meshcheck.lint.project import Outcome, fails, lint
from meshcheck.lint.settings import LEVELS, Settings, decode_settings
from meshcheck.model.cluster_kinds import CALL, RBAC
from meshcheck.model.record import replace
from meshcheck.render.lint import FORMS, render
from meshcheck.render.lint.json_report import lint_json
from meshcheck.render.lint.report import LintReport, Read, plural

if TYPE_CHECKING:
    from meshcheck.load.read import Reading
    from meshcheck.semantics.world import World

_EXAMPLES = """\
examples:
  meshcheck lint -f manifests/
  meshcheck lint -f manifests/ --closed-world              # all of the mesh is here: rules about absences speak, too
  meshcheck lint -f manifests/ -o text -o sarif=lint.sarif # for people, and for a code scanning service
  meshcheck lint -f manifests/ --select MC2 --fail-on warning
  meshcheck lint -f manifests/ --diff                      # what --fix would write
  meshcheck lint -f manifests/ --fix
  meshcheck lint -f manifests/ --write-baseline lint-baseline.json
  meshcheck lint -f manifests/ --baseline lint-baseline.json
  kustomize build overlays/prod | meshcheck lint -f -

A finding is suppressed with a comment (`# meshcheck: ignore[MC213] why`), an annotation on the object (`meshcheck.io/ignore: "MC213: why"`)
or in the settings: `meshcheck.toml`, or the table `tool.meshcheck` of `pyproject.toml`. `meshcheck explain CODE` prints the page of a rule.

exit status: 0 clean, 1 findings at or above `--fail-on`, 2 wrong use or unreadable input, 3 no such findings, but a cluster did not let
  everything be read that rules of that severity need (`--allow-unknown`: 0)
"""


def parser() -> argparse.ArgumentParser:
    """The options of `lint`."""
    p = CommandParser(
        prog="meshcheck lint",
        description="Find what a cluster would refuse or drop, and what is probably not meant.",
        epilog=_EXAMPLES,
    )
    add_source_options(p)
    p.add_argument("--batch", metavar="FILE", help="worlds as JSON Lines (`-` for standard input), answered line by line")
    which = p.add_argument_group("which rules, and how strict")
    which.add_argument(
        "--select", metavar="RULES", action="append", default=[], help="only these: codes, beginnings of codes, names; with commas"
    )
    which.add_argument("--ignore", metavar="RULES", action="append", default=[], help="all but these")
    which.add_argument("--pedantic", action="store_true", help="rules of low confidence, too")
    which.add_argument("--fail-on", choices=LEVELS, help="least severity that makes exit status 1 (error)")
    which.add_argument("--allow-unknown", action="store_true", help="what a cluster does not let be read does not make exit status 3")
    which.add_argument("--config", metavar="FILE", help="settings (default: the nearest meshcheck.toml or pyproject.toml)")
    which.add_argument("--no-config", action="store_true", help="no settings from files")
    which.add_argument("--baseline", metavar="FILE", help="report only what is not in it")
    which.add_argument("--write-baseline", metavar="FILE", help="write what is found now, and report nothing")
    mend = p.add_argument_group("fixes")
    mend.add_argument("--fix", action="store_true", help="write the safe fixes into the files; comments and layout stay")
    mend.add_argument("--unsafe-fixes", action="store_true", help="with --fix or --diff: those that want a look, too")
    mend.add_argument("--diff", action="store_true", help="only show what `--fix` would write, as a diff for `git apply`")
    add_output_options(p, tuple(FORMS), batch=True)
    return p


def run(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    if options.batch:
        refuse_other_than_jsonl(options)
        return _batch(options.batch)
    if any(output.form == BATCH for output in options.outputs):
        raise UsageError("`-o jsonl` is for `--batch FILE`; use `-o json`")
    outputs = outputs_of(options)
    settings = _with_options(settings_of(options.config, options.no_config), options)
    options.closed_world = options.closed_world or settings.closed_world
    settle_namespace(options)
    known = _baseline(options, settings)

    def look() -> tuple[Reading, Outcome]:
        reading = read_sources(options, exact=True, uses=(CALL, RBAC), narrow=True)
        _stop_when_nothing_was_read(reading)
        return reading, outcome_of(reading, world_of(options, reading), settings, known)

    reading, outcome = look()
    if options.diff:
        return show_fixes(outcome, reading, options.unsafe_fixes, options.color)
    if options.fix:
        reading, outcome = write_fixes(outcome, reading, options.unsafe_fixes, look)
    if options.write_baseline:
        return _write_baseline(options.write_baseline, outcome)
    report = _report(reading, outcome, settings.fail_on)
    write_outputs(outputs, lambda form, style: render(form, report, style), options.color)
    return _status(outcome, settings)


def outcome_of(
    reading: Reading, world: World, settings: Settings, known: Counter[str] | None = None, before: World | None = None
) -> Outcome:
    """All findings. The reading must be exact, so that duplicates are seen. `before`: the World that this one is compared with."""
    return lint(evidence_of(reading, world, before), registry.rules(), settings, reading.span, reading.texts(), known)


def evidence_of(reading: Reading, world: World, before: World | None = None) -> Evidence:
    """What rules look at."""
    broken = ((item.place, item.reason) for item in reading.not_read if item.fatal)
    return Evidence(world, reading.documents, reading.duplicate_keys, broken, before)


def settings_of(config: str | None, none: bool = False) -> Settings:
    """The project's settings: those of a file, of the nearest one when none is named, or the defaults."""
    from meshcheck.load.settings import find_settings, read_settings

    file = Path(config) if config else None if none else find_settings()
    settings = decode_settings(read_settings(file), f"`{file}`") if file else Settings()
    return replace(settings, baseline=str(file.parent / settings.baseline)) if file and settings.baseline else settings


def _with_options(settings: Settings, options: argparse.Namespace) -> Settings:
    """The options of the command line over the settings."""
    given: dict[str, Any] = {}
    for name in ("select", "ignore"):
        words = tuple(word.strip() for text in getattr(options, name) for word in text.split(",") if word.strip())
        if words:
            given[name] = words
    if options.pedantic:
        given["pedantic"] = True
    if options.allow_unknown:
        given["allow_unknown"] = True
    if options.fail_on:
        given["fail_on"] = options.fail_on
    return replace(settings, **given)


def _baseline(options: argparse.Namespace, settings: Settings) -> Counter[str] | None:
    from meshcheck.lint.baseline import known
    from meshcheck.load.lines import read_text

    path = None if options.write_baseline else options.baseline or settings.baseline
    if path is None:
        return None
    try:
        values = json.loads(read_text(path))
    except ValueError as error:
        raise UsageError(f"`{path}` is no baseline: {error}") from None
    return known(values if isinstance(values, dict) else {}, path)


def _write_baseline(path: str, outcome: Outcome) -> int:
    from meshcheck.cli.outputs import write_file
    from meshcheck.lint.baseline import baseline_json

    values = baseline_json(outcome.findings)
    write_file(path, json.dumps(values, indent=2) + "\n")
    print(f"meshcheck: {plural(len(values['findings']), 'finding')} written to `{path}`", file=sys.stderr)
    return 0


def _batch(path: str) -> int:
    """Answer each world of a batch. A line that is no world makes status 2; an unreadable world counts as a finding."""
    from meshcheck.cli.batch import problems_of, read_world
    from meshcheck.load.lines import objects_of

    status = 0
    encode = json.JSONEncoder(separators=(",", ":")).encode
    settings = Settings()
    for line in objects_of(path):
        if isinstance(line, str):
            sys.stdout.write(encode({"id": None, "error": {"message": line, "problems": []}}) + "\n")
            status = 2
            continue
        answer: dict[str, Any] = {"id": line.get("id")}
        reading: Reading | None = None
        try:
            reading = read_world(line, exact=True)
            _stop_when_nothing_was_read(reading)
            outcome = outcome_of(reading, world_of_line(line, reading), settings)
            answer["lint"] = lint_json(outcome, _read(reading))
            status = max(status, _status(outcome, settings))
        except MeshcheckError as error:
            answer["error"] = {"message": str(error), "problems": problems_of(reading) if reading else []}
            status = max(status, 2 if isinstance(error, UsageError) else 1)
        sys.stdout.write(encode(answer) + "\n")
    return status


def _report(reading: Reading, outcome: Outcome, threshold: str) -> LintReport:
    from meshcheck import __version__

    return LintReport(outcome, _read(reading), threshold, reading.line, __version__, reading.text_of)


def _read(reading: Reading) -> Read:
    documents = {(d.origin.file, d.origin.document) for d in reading.documents}
    return Read(
        files=reading.files,
        documents=len(documents) + len(reading.not_read),
        objects=len(reading.documents),
        not_read=tuple((item.place, item.reason) for item in reading.not_read),
    )


def _stop_when_nothing_was_read(reading: Reading) -> None:
    """Raises UnreadableError when there is trouble and nothing but trouble."""
    broken = [item for item in reading.not_read if item.fatal]
    if broken and not reading.documents:
        raise UnreadableError(f"{broken[0].place}: {broken[0].reason}")


def _status(outcome: Outcome, settings: Settings) -> int:
    """1 for findings, 3 where there may be some that nobody could look for."""
    if fails(outcome.findings, settings.fail_on):
        return 1
    return 3 if outcome.undecided and not settings.allow_unknown else 0
