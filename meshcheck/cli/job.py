"""`meshcheck job`: checks that run in the cluster, once or for ever, with a report, metrics and events."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from meshcheck.cli.command_parser import CommandParser
from meshcheck.cli.live import is_live
from meshcheck.cli.login_options import login_of
from meshcheck.cli.sources import add_source_options, read_sources
from meshcheck.errors import UsageError
from meshcheck.job.settings import Settings
from meshcheck.load.read import Reading

if TYPE_CHECKING:
    from meshcheck.job.cluster import ClusterApi
    from meshcheck.job.log import Log
    from meshcheck.job.memory import Memory
    from meshcheck.job.seen import Seen
    from meshcheck.job.settings_file import SettingsFile
    from meshcheck.job.state import State
    from meshcheck.load.cluster import Api, Wanted
    from meshcheck.model.question import Question
    from meshcheck.model.rbac import ApiRequest

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
    - {from: external, to: "http://shop.example.com/", expect: 301}
    - {as: sa/shop/web, can: get secrets, namespace: shop, expect: denied}      # RBAC, as for `meshcheck can`
    - {whoCan: update authorizationpolicies.security.istio.io, namespace: shop, only: [group/platform]}
  - name: assertions
    test: assertions/                        # *.meshcheck.yaml, as for `meshcheck test`
  report: {configMap: {name: meshcheck-report}, log: markdown}
  metrics: {textfile: /metrics/meshcheck.prom}

exit status: 0 every check passed (or --watch was ended), 1 a check failed, 3 something could not be decided,
  2 wrong use, a check that cannot be carried out, nothing could be read, or a report that did not arrive; --exit-zero makes 0 of 1 and 3
"""


def parser() -> argparse.ArgumentParser:
    """The options of `job`."""
    p = CommandParser(
        prog="meshcheck job",
        description="Run checks once, as a Job or CronJob does, or for ever, and report.",
        epilog=_EXAMPLES,
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
    from meshcheck.job.log import Log
    from meshcheck.job.run import refuse_impossible
    from meshcheck.job.state import State
    from meshcheck.job.stop import Stopped, end_when_told

    file = _file(options)
    settings = _over(options, file.read() if file else Settings())
    live = is_live(options)
    refuse_impossible(settings, cluster=live, watch=options.watch)
    log, state = Log(options.log_format), State(options.watch)
    end_when_told()
    try:
        if options.watch:
            _watch(options, settings, file, log, state)
        status = _once(options, settings, live, log, state)
    except Stopped as stopped:
        log.info("told to end", signal=str(stopped))
        return 0 if options.watch else 128 + stopped.number
    return 0 if options.exit_zero and status in (1, 3) else status


def _once(options: argparse.Namespace, settings: Settings, live: bool, log: Log, state: State) -> int:
    from meshcheck.job.deliver import Delivery
    from meshcheck.job.run import run_once

    if not live:
        return run_once(settings, lambda: _files(options), Delivery(settings, None, log, state), log, state)
    api = _connected(options, log)
    from meshcheck.load.cluster import read_cluster

    def look() -> Seen:
        reading = Reading()
        read_cluster(api, reading, _wanted(options, settings))
        return _seen(options, reading, f"the cluster at {api.server}")

    return run_once(settings, look, Delivery(settings, _writer(options, api), log, state), log, state)


def _watch(options: argparse.Namespace, settings: Settings, file: SettingsFile | None, log: Log, state: State) -> NoReturn:
    from meshcheck.job.deliver import Delivery
    from meshcheck.job.watch import Watch
    from meshcheck.load.cluster.watches import Watches

    if settings.serve:
        from meshcheck.job.serve import serve

        log.info("listening", port=serve(state, settings.serve).port)
    api = _connected(options, log)
    writer = _writer(options, api)
    watch = Watch(settings, file, lambda read: _over(options, read), lambda asked: _wanted(options, asked), log, state)
    own = ("ConfigMap", settings.config_map[0] or writer.namespace, settings.config_map[1]) if settings.config_map else None
    watched = Watches(api, _wanted(options, settings), watch.tell, lambda *named: named == own)

    def look() -> Seen:
        reading = Reading()
        watched.read(reading)
        return _seen(options, reading, f"the cluster at {api.server}", watch.memory)

    watch.run(watched, look, Delivery(settings, writer, log, state))


def _connected(options: argparse.Namespace, log: Log) -> Api:
    import logging

    from meshcheck.load.cluster import connect

    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it warns of each connection beyond its pool, which watches need
    api = connect(login_of(options))
    api.on_wait = lambda why: log.warning("waiting for the API server", because=why)
    return api


def _writer(options: argparse.Namespace, api: Api) -> ClusterApi:
    from meshcheck.job.cluster import ClusterApi
    from meshcheck.load.cluster import default_namespace

    return ClusterApi(api, options.namespace or default_namespace(login_of(options)) or "default")


def _wanted(options: argparse.Namespace, settings: Settings) -> Wanted:
    from meshcheck.load.cluster import Wanted

    return Wanted(uses=settings.uses, namespaces=settings.namespaces, root_namespace=options.root_namespace)


def _file(options: argparse.Namespace) -> SettingsFile | None:
    from meshcheck.job.settings_file import SettingsFile

    return SettingsFile(options.config, read_question) if options.config else None


def read_question(fields: Mapping[str, Any]) -> Question | ApiRequest:
    """A question of a configuration: about a call, or about a request to the API server."""
    if "can" in fields or "whoCan" in fields:
        from meshcheck.cli.api_requests import request_of_fields

        return request_of_fields(fields)
    from meshcheck.cli.questions import question_of

    return question_of(fields)


def _over(options: argparse.Namespace, settings: Settings) -> Settings:
    """The settings of the command line over those of the configuration file."""
    from meshcheck.decode.fields import duration
    from meshcheck.model.record import replace

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


def _files(options: argparse.Namespace) -> Seen:
    from meshcheck.cli.world import warn

    reading = read_sources(options, exact=True)
    seen = _seen(options, reading, ", ".join(value for _, value in options.sources))
    warn(reading, seen.world)
    return seen


def _seen(options: argparse.Namespace, reading: Reading, source: str, memory: Memory | None = None) -> Seen:
    from meshcheck.cli.world import world_of
    from meshcheck.job.cluster import gaps_of
    from meshcheck.job.seen import Seen
    from meshcheck.model.report import Gap

    unreadable = tuple(Gap(str(item.place), item.reason) for item in reading.not_read if item.fatal)
    world = world_of(options, reading, memory.decoded if memory is not None else None)
    return Seen(world, reading, source, (*unreadable, *gaps_of(reading.coverage)), memory)
