"""The watch mode: a World that follows the cluster, and checks again when something changed that matters."""

from __future__ import annotations

import gc
import queue
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from meshcheck.errors import MeshcheckError
from meshcheck.job.deliver import Delivery
from meshcheck.job.log import Log
from meshcheck.job.memory import Memory
from meshcheck.job.run import Look, pass_over
from meshcheck.job.settings import Settings
from meshcheck.job.state import State
from meshcheck.job.time_limit import TimeLimit
from meshcheck.model.report import Report
from meshcheck.render.report_json import report_json

if TYPE_CHECKING:
    from meshcheck.job.settings_file import SettingsFile
    from meshcheck.load.cluster import Wanted
    from meshcheck.load.cluster.follow import Told

_TICK = 10.0
"""Seconds between two looks at the configuration file, and at what did not arrive."""
_REST = 4.0
"""A pass is followed by a rest of so many times its length: a cluster that never stands still takes a fifth of a processor, no more."""
_LONGEST_DEBOUNCE = 5
"""Changes that keep coming put a pass off for at most so many times the debounce."""


class Watched(Protocol):
    """What is followed (`meshcheck.load.cluster.watches.Watches`)."""

    def start(self) -> None: ...
    def synced(self, seconds: float) -> bool: ...
    def states(self) -> dict[str, int]: ...
    def want(self, wanted: Wanted) -> None: ...
    def stuck(self) -> tuple[str, ...]: ...


class Watch:
    """The loop. Everything but the following itself happens in the thread that calls `run`."""

    def __init__(
        self,
        settings: Settings,
        file: SettingsFile | None,
        over: Callable[[Settings], Settings],
        wanted: Callable[[Settings], Wanted],
        log: Log,
        state: State,
    ) -> None:
        """`over` lays the options of the command line over what a file says; `wanted` is what settings need of the cluster."""
        self.settings, self._file, self._over, self._wanted, self._log, self._state = settings, file, over, wanted, log, state
        self.memory = Memory()
        self._told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._digest = file.digest() if file else ""
        self._shown: dict[str, Any] | None = None
        self._rest_until = self._deliver_again = self._next_look = 0.0
        self._away = 0

    def tell(self, told: Told) -> None:
        """Hear of something; called from any thread."""
        self._told.put(told)

    def run(self, watched: Watched, look: Look, delivery: Delivery) -> NoReturn:
        """Follow, check and report until the process is told to end."""
        watched.start()
        self._listed(watched)
        while True:
            self._drain()
            self._pass(watched, look, delivery)
            if not self._wait(watched, delivery):
                self.memory.forget()  # nothing has changed but the time, on which answers may depend as well

    def _listed(self, watched: Watched) -> None:
        """Wait until everything is listed; what is not within the time limit is a gap."""
        limit = self.settings.time_limit or 300
        self._state.alive(limit)
        if not watched.synced(limit):
            self._log.warning("not everything was listed within the time limit; what was not is not known")

    def _pass(self, watched: Watched, look: Look, delivery: Delivery) -> None:
        state, settings = self._state, self.settings
        state.alive(2 * settings.time_limit)
        begun, limit = time.monotonic(), TimeLimit(settings.time_limit)
        self._look_at(watched)
        try:
            with limit.applied():
                seen = look()
            report = pass_over(seen, settings, limit, self._log, state.report.gaps if state.report else ())
        except MeshcheckError as error:
            state.failed["pass"] += 1
            self._log.error(f"the pass ended early: {error}")
            return
        finally:
            self._rest_until = time.monotonic() + _REST * (time.monotonic() - begun)
        state.finished(report)
        shown = _lasting(report)
        news = shown != self._shown
        if news or time.monotonic() >= self._deliver_again:
            delivery.settings = settings
            delivery.deliver(report)  # what does not arrive is tried again by itself
            self._shown, self._deliver_again = shown, time.monotonic() + settings.at_least_every
        else:
            delivery.deliver_metrics()
        seconds, memory = round(report.seconds, 3), self.memory
        self._log.info("pass", result=report.result, seconds=seconds, kept=memory.reused, computed=memory.computed, news=news)
        del seen, report
        gc.collect()  # Worlds refer to themselves in circles: without this the last one stays beside the next

    def _look_at(self, watched: Watched) -> None:
        """Count the watches, and say when the server goes away and when it is back."""
        states = watched.states()
        away = states.get("interrupted", 0)
        if away and not self._away:
            self._log.warning("watches are interrupted, and tried again; what was read goes on to count for a while", watches=away)
        elif self._away and not away:
            self._log.info("all watches are connected again")
        self._away, self._state.watches = away, Counter(states)
        stuck = watched.stuck()
        if stuck and not self._state.stuck:
            self._log.error("watches do not move any more, nor try again; the kubelet is told to start this anew", kinds=list(stuck))
        self._state.stuck = stuck

    def _wait(self, watched: Watched, delivery: Delivery) -> bool:
        """Return when it is time for the next pass: whether it is because something has changed."""
        latest = time.monotonic() + self.settings.at_least_every
        first = quiet = 0.0
        while True:
            now = time.monotonic()
            if first:
                debounce = self.settings.debounce
                due = max(min(quiet + debounce, first + _LONGEST_DEBOUNCE * debounce), self._rest_until)
            else:
                due = latest
            if now >= due:
                return bool(first)
            if now >= self._next_look:
                self._next_look = now + _TICK
                delivery.retry()
                if self._reread():
                    watched.want(self._wanted(self.settings))
                    self._listed(watched)
                    return True
            self._state.alive(_TICK)
            self._look_at(watched)
            try:
                told = self._told.get(timeout=max(0.0, min(due, self._next_look) - now))
            except queue.Empty:
                continue
            if self._hear(told):
                quiet = time.monotonic()
                first = first or quiet

    def _drain(self) -> None:
        """What was told so far is in the World that is looked at next."""
        while True:
            try:
                self._hear(self._told.get_nowait())
            except queue.Empty:
                return

    def _hear(self, told: Told) -> bool:
        """Count it and say it; whether there is something to check again."""
        if told.what == "changed":
            self._state.events[told.kind] += 1
        elif told.what == "interrupted":
            self._state.interruptions[told.detail] += 1
        elif told.what == "gap":
            self._log.warning("not known", kind=told.kind, because=told.detail)
        return told.what != "interrupted"

    def _reread(self) -> bool:
        """Take a changed configuration; whether there is one that can be obeyed."""
        if self._file is None:
            return False
        digest = self._file.digest()
        if digest == self._digest:
            return False
        self._digest = digest
        try:
            self.settings = self._over(self._file.read())
        except MeshcheckError as error:
            self._state.failed["configuration"] += 1
            self._log.error(f"the changed configuration cannot be obeyed, the old one goes on: {error}")
            return False
        self.memory.forget()
        self._log.info("the configuration changed")
        return True


def _lasting(report: Report) -> dict[str, Any]:
    """A report without the moment it was made and the time it took."""
    written = report_json(report)
    checks = [{name: part for name, part in check.items() if name != "seconds"} for check in written["checks"]]
    return {**written, "checks": checks, "started": "", "seconds": 0}
