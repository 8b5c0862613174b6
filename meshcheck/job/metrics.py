"""The state of the job as Prometheus metrics. Names and labels are a contract: `meshcheck_*`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from meshcheck import __version__
from meshcheck.errors import MeshcheckError
from meshcheck.job.folder import write_whole
from meshcheck.job.state import State
from meshcheck.model.report import RESULTS, Report

PUSH_TIMEOUT = 10.0


class Collector:
    """What a scrape finds, made from the state at that moment."""

    def __init__(self, state: State) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """All metrics; those of a pass are absent until there was one."""
        state = self._state
        yield InfoMetricFamily("meshcheck_build", "The version of meshcheck.", value={"version": __version__})
        yield _gauge("meshcheck_ready", "Whether a first pass is done.", (), [((), float(state.report is not None))])
        counted = {result: state.passes[result] for result in RESULTS}
        yield _counter("meshcheck_passes", "Passes by result.", ("result",), (((r,), n) for r, n in counted.items()))
        failed = _by(state.failed)
        yield _counter("meshcheck_output_failures", "Reports, metrics and events that could not be delivered.", ("output",), failed)
        if state.watched:
            yield _gauge("meshcheck_watches", "Watches of the API server by state.", ("state",), _by(state.watches))
            yield _counter("meshcheck_watch_events", "Changes of objects that were told.", ("kind",), _by(state.events))
            yield _counter("meshcheck_watch_interruptions", "Watches that began again, by reason.", ("reason",), _by(state.interruptions))
        if state.report is not None:
            yield from _of_report(state.report, state.completed)


def _of_report(report: Report, completed: float) -> Iterator[Metric]:
    yield _gauge("meshcheck_pass_completed_timestamp_seconds", "When the last pass ended.", (), [((), completed)])
    yield _gauge("meshcheck_pass_duration_seconds", "How long the last pass took.", (), [((), report.seconds)])
    yield _gauge("meshcheck_objects", "Objects that were read, by kind.", ("kind",), (((kind,), n) for kind, n in report.objects))
    gaps = sum(not gap.chosen for gap in report.gaps)
    yield _gauge("meshcheck_gaps", "Things that were asked for and could not be read.", (), [((), gaps)])
    checks = report.checks
    yield _gauge(
        "meshcheck_check_result",
        "1 for the result that a check had.",
        ("check", "kind", "result"),
        (((c.name, c.kind, result), float(c.result == result)) for c in checks for result in RESULTS),
    )
    yield _gauge("meshcheck_check_duration_seconds", "How long a check took.", ("check",), (((c.name,), c.seconds) for c in checks))
    for kind, what, label in (("lint", "findings", "severity"), ("questions", "questions", "result"), ("test", "assertions", "result")):
        counts = (((c.name, word), n) for c in checks if c.kind == kind for word, n in c.counts)
        yield _gauge(f"meshcheck_{what}", f"{what.capitalize()} by {label}.", ("check", label), counts)
    yield _gauge(
        "meshcheck_lint_rules",
        "Rules of lint by whether they could be judged.",
        ("check", "state"),
        (((c.name, state), n) for c in checks for state, n in c.rules),
    )
    rules = Counter((c.name, f.code, f.severity) for c in checks for f in c.findings)
    yield _gauge("meshcheck_rule_findings", "Findings by rule.", ("check", "code", "severity"), rules.items())
    yield _gauge(
        "meshcheck_question_ok",
        "1 where a call has the wanted answer.",
        ("check", "question"),
        (((c.name, a.id), float(a.result == "passed")) for c, a in report.answers),
    )
    yield _gauge(
        "meshcheck_question_verdict",
        "1 for the verdict on a call.",
        ("check", "question", "verdict"),
        (((c.name, a.id, a.verdict), 1) for c, a in report.answers if a.verdict),
    )


def registry_of(state: State, process: bool = False) -> CollectorRegistry:
    """A registry of the job's metrics; with those of the process for a scrape, which asks a process that lives."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector(state))
    if process:
        ProcessCollector(registry=registry)
    return registry


def write_textfile(state: State, path: str) -> None:
    """Metrics for the textfile collector of the node exporter, whole at every moment. Raises MeshcheckError."""
    write_whole(Path(path), generate_latest(registry_of(state)).decode())


def push(state: State, url: str, job: str) -> None:
    """Replace the job's metrics in a Pushgateway (or what speaks its protocol). Raises MeshcheckError."""
    from prometheus_client import push_to_gateway

    try:
        push_to_gateway(url, job, registry_of(state), timeout=PUSH_TIMEOUT)
    except (OSError, ValueError) as error:  # URLError is an OSError
        raise MeshcheckError(f"`{url}`: metrics cannot be pushed: {str(error).lower()}") from None


Samples = Iterable[tuple[tuple[str, ...], float]]


def _gauge(name: str, about: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    return _filled(GaugeMetricFamily(name, about, labels=labels), samples)


def _counter(name: str, about: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    return _filled(CounterMetricFamily(name, about, labels=labels), samples)


def _filled(family: Any, samples: Samples) -> Metric:
    for values, number in samples:
        family.add_metric(values, number)
    metric: Metric = family
    return metric


def _by(counts: dict[str, int]) -> Samples:
    return [((word,), number) for word, number in sorted(counts.items())]
