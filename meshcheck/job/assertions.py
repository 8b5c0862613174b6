"""Files of assertions (`*.meshcheck.yaml`), and judging them as a check of the job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from meshcheck.analyse.alike import Alike
from meshcheck.analyse.assertions.assertion import Judgement
from meshcheck.analyse.assertions.judge import judge
from meshcheck.analyse.assertions.read import AssertionFile, read_assertions
from meshcheck.errors import UnreadableError, UsageError
from meshcheck.job.memory import recalled
from meshcheck.job.seen import Seen
from meshcheck.job.settings import AssertionCheck
from meshcheck.load import exact_yaml
from meshcheck.load.lines import read_text
from meshcheck.load.places import Nodes
from meshcheck.model.report import CheckReport, Judged, Result, counted_results, worst
from meshcheck.render.question_words import call_words

SUFFIXES = (".meshcheck.yaml", ".meshcheck.yml")
_RESULTS: dict[str, Result] = {"holds": "passed", "fails": "failed", "unknown": "unknown"}


def assertion_files(paths: Iterable[str]) -> list[str]:
    """The files that are named, and those in folders that are named. Raises UsageError for a folder without any.

    Hidden folders are left out: a mounted ConfigMap has its files in one, and links to them beside it.
    """
    out: list[str] = []
    for path in paths:
        if not Path(path).is_dir():
            out.append(path)
            continue
        found = sorted(str(file) for file in _below(Path(path)) if file.name.endswith(SUFFIXES) and file.is_file())
        if not found:
            raise UsageError(f"`{path}`: no file {' or '.join('*' + suffix for suffix in SUFFIXES)} below it")
        out += found
    return list(dict.fromkeys(out))


def _below(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if not any(part.startswith(".") for part in file.relative_to(folder).parts))


def read_assertion_file(path: str) -> tuple[AssertionFile, Nodes]:
    """The statements of a file. Raises UsageError with a line for each thing that is wrong."""
    text = read_text(path)
    try:
        content = exact_yaml.read(text)
    except UnreadableError as error:
        raise UnreadableError(f"{path}: {error}") from None
    nodes = Nodes(path, 1, text)
    found, wrong = read_assertions(content, Path(path).name.removesuffix(".yaml").removesuffix(".yml").removesuffix(".meshcheck"))
    if wrong:
        places = [(nodes.place(item.path), item.message) for item in wrong]
        raise UsageError("\n".join(f"{place.file}:{place.line}:{place.column}: {message}" for place, message in places))
    return found, nodes


def judge_all(seen: Seen, check: AssertionCheck) -> CheckReport:
    """Judge the statements of all files on what was seen; the sources that a file names for the desk are not asked."""
    files = [read_assertion_file(path)[0] for path in assertion_files(check.paths)]

    def all_of_them() -> tuple[Judged, ...]:
        alike = Alike(seen.world)
        return tuple(_judged(judge(seen.world, assertion, alike)) for file in files for assertion in file.assertions)

    judged = recalled(seen.memory, seen.world, ("test", check.name), all_of_them)
    results = [one.result for one in judged]
    return CheckReport(check.name, "test", worst(results), 0, judged=judged, counts=counted_results(results))


def _judged(found: Judgement) -> Judged:
    result = _RESULTS[found.outcome]
    if result == "passed":
        return Judged(found.assertion.name, result)
    wanted = found.assertion.status or found.assertion.expect
    because = (f"because: {found.assertion.because}",) if found.assertion.because else ()
    examples = tuple(
        f"{call_words(example.question)}: {example.said}; expected {wanted}"
        + (f", and {example.alike - 1} callers more that fare alike" if example.alike > 1 else "")
        for example in found.examples
    )
    return Judged(found.assertion.name, result, (*because, *(examples or (found.why,))))
