"""`meshcheck job`: checks that run in the cluster, once or for ever, with a report, metrics and events."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from meshcheck.cli.sources import add_source_options, read_sources
from meshcheck.errors import UsageError

if TYPE_CHECKING:
    from meshcheck.job.seen import Seen
    from meshcheck.job.settings import Settings

_EXAMPLES = """\
examples:
  meshcheck job -f manifests/                                    lint, once, the report on standard output
  meshcheck job --config job.yaml -f manifests/                  try a configuration on files, before it goes into the cluster
  meshcheck job --config job.yaml --report-configmap meshcheck/report
  meshcheck job --config job.yaml --watch --serve :8080          for ever, for Prometheus

a configuration:
  checks:
  - name: manifests
    lint: {failOn: error, ignore: [MC9]}
  - name: calls
    questions:
    - {from: shop/frontend, to: "http://cart.shop:8080/api/items", method: DELETE, expect: denied}
    - {from: external, to: "https://shop.example.com/", expect: 200}
  report: {configMap: {name: meshcheck-report}, log: markdown}
  metrics: {textfile: /metrics/meshcheck.prom}

exit status: 0 every check passed (or --watch was ended), 1 a check failed, 3 something could not be decided,
  2 wrong use, a check that cannot be carried out, nothing could be read, or a report that did not arrive; --exit-zero makes 0 of 1 and 3
"""


def parser() -> argparse.ArgumentParser:
    """The options of `job`."""
    p = argparse.ArgumentParser(
        prog="meshcheck job",
        description="Run checks once, as a Job or CronJob does, or for ever, and report.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--config", metavar="FILE", help="what to check and where to report; without it: lint, the report on standard output")
    p.add_argument("--watch", action="store_true", help="stay, follow the changes of the cluster, and check again")
    p.add_argument("--time-limit", metavar="DURATION", help="of one pass, such as 5m (the configuration's, or 5m)")
    p.add_argument("--exit-zero", action="store_true", help="end with 0 whatever the checks say, so that findings do not fail the Job")
    out = p.add_argument_group("output (these win over the configuration)")
    out.add_argument("--report-configmap", metavar="[NS/]NAME", help="write the report to a ConfigMap, of the job's own namespace")
    out.add_argument("--report-dir", metavar="DIR", help="write report.json and report.md into a folder")
    out.add_argument("--report-log", choices=("summary", "markdown", "json", "none"), help="the report on standard output (markdown)")
    out.add_argument("--metrics-file", metavar="FILE", help="write metrics for the textfile collector of the node exporter")
    out.add_argument("--push", metavar="URL", help="push metrics to a Pushgateway")
    out.add_argument("--serve", metavar="ADDR", help="answer /metrics, /healthz and /readyz, for example on :8080; with --watch")
    out.add_argument("--events", action="store_true", help="Kubernetes Events on calls that are refused and were not before")
    out.add_argument("--log-format", choices=("text", "json"), default="text", help="form of the log on standard error (text)")
    add_source_options(p)
    return p


def run(words: list[str]) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(words)
    from meshcheck.job.deliver import Delivery
    from meshcheck.job.log import Log
    from meshcheck.job.run import refuse_impossible, run_once
    from meshcheck.job.state import State

    settings = _settings(options)
    files = bool(getattr(options, "sources", None))
    refuse_impossible(settings, cluster=not files, watch=options.watch)
    log, state = Log(options.log_format), State(options.watch)
    status = run_once(settings, lambda: _look(options), Delivery(settings, None, log, state), log, state)
    return 0 if options.exit_zero and status in (1, 3) else status


def _settings(options: argparse.Namespace) -> Settings:
    """The configuration file's settings, and over them those of the command line."""
    from meshcheck.cli.questions import question_of
    from meshcheck.decode.fields import duration
    from meshcheck.job.settings import Settings
    from meshcheck.job.settings_file import SettingsFile
    from meshcheck.model.record import replace

    settings = SettingsFile(options.config, question_of).read() if options.config else Settings()
    changes: dict[str, object] = {}
    for name, value in (
        ("directory", options.report_dir),
        ("log", options.report_log),
        ("textfile", options.metrics_file),
        ("push", options.push),
        ("serve", options.serve),
        ("events", options.events),
    ):
        if value:
            changes[name] = value
    if options.report_configmap:
        namespace, _, name = options.report_configmap.rpartition("/")
        changes["config_map"] = namespace, name
    if options.time_limit:
        seconds = duration(options.time_limit)
        if seconds is None:
            raise UsageError(f"`--time-limit {options.time_limit}` is no duration: write 90s, 5m or 1h30m")
        changes["time_limit"] = seconds
    return replace(settings, **changes)


def _look(options: argparse.Namespace) -> Seen:
    from meshcheck.cli.world import warn, world_of
    from meshcheck.job.seen import Seen
    from meshcheck.model.report import Gap

    reading = read_sources(options, exact=True)
    world = world_of(options, reading)
    warn(reading, world)
    gaps = [Gap(str(item.place), item.reason) for item in reading.not_read if item.fatal]
    source = ", ".join(value for _, value in options.sources or ())
    return Seen(world, reading, source, gaps)
