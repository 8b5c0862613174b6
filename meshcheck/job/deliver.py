"""Brings a report to where it is wanted. An output that fails is said and counted, and does not keep the others from theirs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from meshcheck import __version__
from meshcheck.errors import MeshcheckError
from meshcheck.job import events
from meshcheck.job.api import Api
from meshcheck.job.fit import fitted, written
from meshcheck.job.folder import read_whole, write_whole
from meshcheck.job.log import Log
from meshcheck.job.settings import Settings
from meshcheck.job.state import State
from meshcheck.model.report import Report
from meshcheck.render.report_json import report_json
from meshcheck.render.report_markdown import report_markdown

_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 300.0
"""Seconds until what did not arrive is tried again."""


class Delivery:
    """The outputs of a configuration. `api` is None where there is no cluster; settings that need one were refused before.

    What did not arrive is kept, for `retry`.
    """

    def __init__(self, settings: Settings, api: Api | None, log: Log, state: State) -> None:
        self.settings, self._api, self._log, self._state = settings, api, log, state
        self._before: frozenset[events.Denial] | None = None
        self._left: tuple[Report, frozenset[str]] | None = None
        """The last report, and the outputs that it did not get to."""
        self._retry_at = self._pause = 0.0

    def deliver(self, report: Report, only: frozenset[str] | None = None) -> frozenset[str]:
        """Bring the report everywhere, or to some outputs only; those that it did not get to. The state has the report already."""
        settings = self.settings
        before = self._denials_before() if settings.events else frozenset()
        outputs: dict[str, tuple[object, Callable[[], None]]] = {
            "directory": (settings.directory, lambda: self._to_directory(report)),
            "configmap": (settings.config_map, lambda: self._to_config_map(report)),
            "log": (settings.log != "none", lambda: self._to_log(report)),
            "events": (settings.events, lambda: self._events(report, before)),
            **self._metrics(),
        }
        lost = self._try({name: output for name, output in outputs.items() if only is None or name in only})
        self._left = (report, lost) if lost else None
        self._pause = min(max(_FIRST_PAUSE, 2 * self._pause), _LONGEST_PAUSE) if lost else 0.0
        self._retry_at = time.monotonic() + self._pause
        return lost

    def retry(self) -> None:
        """Bring the last report where it did not get to, once it is time to try again."""
        if self._left is not None and time.monotonic() >= self._retry_at:
            report, lost = self._left
            if not self.deliver(report, lost):
                self._log.info("the report has arrived now", outputs=sorted(lost))

    def deliver_metrics(self) -> frozenset[str]:
        """Write and push the metrics, which move on even where the report stays the same."""
        return self._try(self._metrics())

    def _metrics(self) -> dict[str, tuple[object, Callable[[], None]]]:
        settings, state = self.settings, self._state
        if not (settings.textfile or settings.push):
            return {}
        from meshcheck.job import metrics

        return {
            "textfile": (settings.textfile, lambda: metrics.write_textfile(state, settings.textfile)),
            "push": (settings.push, lambda: metrics.push(state, settings.push, settings.push_job)),
        }

    def _try(self, outputs: Mapping[str, tuple[object, Callable[[], None]]]) -> frozenset[str]:
        """Send what is wanted; the names of the outputs that failed."""
        failed = set()
        for name, (wanted, send) in outputs.items():
            try:
                if wanted:
                    send()
            except MeshcheckError as error:
                failed.add(name)
                self._state.failed[name] += 1
                self._log.error(str(error), output=name)
        return frozenset(failed)

    def _to_directory(self, report: Report) -> None:
        folder, (as_json, as_markdown) = Path(self.settings.directory), written(report)
        write_whole(folder / "report.md", as_markdown)
        write_whole(folder / "report.json", as_json)

    def _to_log(self, report: Report) -> None:
        form = self.settings.log
        if self._log.form == "json" and form != "summary":
            self._log.info("report", report=report_json(report))  # one line: a collector of logs takes a line for a record
        elif form == "json":
            sys.stdout.write(json.dumps(report_json(report), ensure_ascii=False, indent=1) + "\n")
        elif form == "markdown":
            sys.stdout.write(report_markdown(report))
        sys.stdout.flush()

    # ---- in the cluster ----

    def _config_map_path(self) -> tuple[str, str, str]:
        """(path, namespace, name) of the report's ConfigMap."""
        assert self._api is not None
        namespace, name = self.settings.config_map or ("", "")
        namespace = namespace or self._api.namespace
        return f"/api/v1/namespaces/{namespace}/configmaps/{name}", namespace, name

    def _to_config_map(self, report: Report) -> None:
        assert self._api is not None
        path, namespace, name = self._config_map_path()
        small = fitted(report)
        if small.truncated:
            self._log.warning("the report is too large for a ConfigMap: its lists are shortened", configmap=f"{namespace}/{name}")
        as_json, as_markdown = written(small)
        self._api.apply(
            path,
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": name,
                    "namespace": namespace,
                    "labels": {"app.kubernetes.io/name": "meshcheck", "app.kubernetes.io/component": "report"},
                    "annotations": {"meshcheck.io/version": __version__, "meshcheck.io/result": report.result},
                },
                "data": {"report.json": as_json, "report.md": as_markdown},
            },
        )

    def _events(self, report: Report, before: frozenset[events.Denial]) -> None:
        assert self._api is not None
        told = before & events.denials(report)
        try:
            for denial, event in events.new_events(report, before, self._api.namespace):
                self._api.create(f"/apis/events.k8s.io/v1/namespaces/{event['metadata']['namespace']}/events", event)
                told |= {denial}
        finally:
            self._before = told  # what could not be told now is new the next time

    def _denials_before(self) -> frozenset[events.Denial]:
        """What was refused in the last report: of this process, else the one that was written last."""
        if self._before is not None:
            return self._before
        return events.denials_of(self._last_report())

    def _last_report(self) -> dict[str, Any]:
        text: object = None
        try:
            if self.settings.config_map and self._api is not None:
                found = self._api.get(self._config_map_path()[0])
                text = ((found or {}).get("data") or {}).get("report.json")
            elif self.settings.directory:
                text = read_whole(Path(self.settings.directory) / "report.json")
            parsed = json.loads(text) if isinstance(text, str) else {}
        except (MeshcheckError, ValueError) as error:
            self._log.warning(f"the last report cannot be read, every refusal counts as new: {error}")
            return {}
        return parsed if isinstance(parsed, dict) else {}
