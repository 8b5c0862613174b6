"""`meshcheck lint`: what a cluster would refuse or drop."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from meshcheck.cli.sources import add_source_options, read_sources
from meshcheck.cli.world import world_of, world_of_line
from meshcheck.errors import MeshcheckError, UnreadableError, UsageError
from meshcheck.lint.evidence import Evidence
from meshcheck.model.finding import Finding
from meshcheck.render.lint import Read, lint_json, lint_text

if TYPE_CHECKING:
    from meshcheck.lint.rule import Rule
    from meshcheck.lint.run import Report
    from meshcheck.load.read import Reading
    from meshcheck.semantics.world import World

_EXAMPLES = """\
examples:
  meshcheck lint -f manifests/
  meshcheck lint -f manifests/ -o json
  kustomize build overlays/prod | meshcheck lint -f -

exit status: 0 clean, 1 findings of severity error, 2 wrong use or unreadable input
"""


def parser() -> argparse.ArgumentParser:
    """The options of `lint`."""
    p = argparse.ArgumentParser(
        prog="meshcheck lint",
        description="Find what a cluster would refuse or drop, field by field.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source_options(p)
    p.add_argument("--batch", metavar="FILE", help="worlds as JSON Lines (`-` for standard input), answered line by line")
    p.add_argument("-o", "--output", choices=["text", "json", "jsonl"], help="form of the output (text; jsonl for --batch)")
    p.add_argument("--color", choices=["auto", "always", "never"], default="auto", help="colours (auto)")
    return p


def run(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    if options.batch:
        if options.output not in (None, "jsonl"):
            raise UsageError("`--batch` answers in `-o jsonl` only")
        return _batch(options.batch)
    if options.output == "jsonl":
        raise UsageError("`-o jsonl` is for `--batch FILE`; use `-o json`")
    reading = read_sources(options, exact=True)
    _stop_when_nothing_was_read(reading)
    report, read = report_of(reading, world_of(options, reading)), _read(reading)
    findings = report.findings
    if options.output == "json":
        json.dump(lint_json(findings, read), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        from meshcheck.render.style import style_for

        text = lint_text(findings, read, style_for(sys.stdout, options.color))
        sys.stdout.write(text.encode("utf-8", "replace").decode())
    return _status(findings)


def _batch(path: str) -> int:
    """Answer each world of a batch. A line that is no world makes status 2; an unreadable world counts as a finding."""
    from meshcheck.cli.batch import problems_of, read_world
    from meshcheck.load.lines import objects_of

    status = 0
    encode = json.JSONEncoder(separators=(",", ":")).encode
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
            findings = report_of(reading, world_of_line(line, reading)).findings
            answer["lint"] = lint_json(findings, _read(reading))
            status = max(status, _status(findings))
        except MeshcheckError as error:
            answer["error"] = {"message": str(error), "problems": problems_of(reading) if reading else []}
            status = max(status, 2 if isinstance(error, UsageError) else 1)
        sys.stdout.write(encode(answer) + "\n")
    return status


def report_of(reading: Reading, world: World, rules: Sequence[Rule] | None = None) -> Report:
    """Findings of some rules, of all when none are named. The reading must be exact, so that places and duplicates are right."""
    from meshcheck.lint import registry
    from meshcheck.lint.run import run as run_rules

    broken = ((item.place, item.reason) for item in reading.not_read if item.fatal)
    evidence = Evidence(world, reading.documents, reading.duplicate_keys, broken)
    return run_rules(evidence, registry.rules() if rules is None else rules, reading.place)


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


def _status(findings: Sequence[Finding]) -> int:
    return 1 if any(finding.severity == "error" and not finding.suppressed for finding in findings) else 0
