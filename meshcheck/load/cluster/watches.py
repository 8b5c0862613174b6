"""All kinds that a World is made of, kept current from watches."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from meshcheck.load.cluster.api import Api
from meshcheck.load.cluster.discovery import Discovery, discover
from meshcheck.load.cluster.follow import CONNECTED, INTERRUPTED, REFUSED, Follower, Ignored, Told
from meshcheck.load.cluster.reading import NOT_CHOSEN, Part, Wanted, fill
from meshcheck.model.cluster_kinds import ClusterKind, kinds_for
from meshcheck.model.coverage import Gap

if TYPE_CHECKING:
    from meshcheck.load.read import Reading

DISCOVERY = 30.0
"""Seconds between two looks at which kinds are served: CRDs come and go."""


class Watches:
    """The watched cluster. `tell` hears of everything from several threads, and must not wait."""

    def __init__(self, api: Api, wanted: Wanted, tell: Callable[[Told], None], ignored: Ignored) -> None:
        self._api, self._wanted, self._tell, self._ignored = api, wanted, tell, ignored
        self._kinds = kinds_for(*wanted.uses)
        self._followers: dict[tuple[ClusterKind, str | None], Follower] = {}
        self._lock = threading.Lock()
        self._changing = threading.RLock()
        """Held while what is followed changes: by the look at which kinds are served, and by a changed configuration."""
        self._ended = threading.Event()
        self._found: Discovery | None = None

    def start(self) -> None:
        """Begin to follow. Raises UnreadableError when the cluster cannot be reached, or does not know who asks."""
        self._discovered(discover(self._api))
        threading.Thread(target=self._rediscover, name="discovery", daemon=True).start()

    def want(self, wanted: Wanted) -> None:
        """Follow other kinds or namespaces from now on; those that are wanted as before go on."""
        if wanted == self._wanted:
            return
        with self._changing:
            self._wanted, self._kinds = wanted, kinds_for(*wanted.uses)
        assert self._found is not None
        self._discovered(self._found)

    def stop(self) -> None:
        """Do not begin anything any more."""
        self._ended.set()
        for follower in self._all():
            follower.stop()

    def synced(self, seconds: float) -> bool:
        """Wait until every kind was listed, or could not be; False when that takes longer."""
        end = time.monotonic() + seconds
        return all(follower.synced.wait(max(0.0, end - time.monotonic())) for follower in self._all())

    def states(self) -> Counter[str]:
        """How many watches are connected, interrupted (and try again), or refused."""
        states = Counter({CONNECTED: 0, INTERRUPTED: 0, REFUSED: 0})
        states.update(follower.state for follower in self._all())
        return states

    def stuck(self) -> tuple[str, ...]:
        """Resources whose follower has neither heard anything nor tried again for longer than any request may take."""
        return tuple(follower.served.kind.resource for follower in self._all() if follower.is_stuck)

    def read(self, reading: Reading) -> None:
        """Put what is known now into a Reading, with its coverage."""
        assert self._found is not None
        fill(reading, list(self._parts()), self._found, self._wanted)

    def _parts(self) -> Iterator[Part]:
        """Every kind of the table: one that is not served has no objects, and that is known."""
        assert self._found is not None
        with self._lock:
            followers = dict(self._followers)
        for kind in self._kinds:
            own = {namespace: f for (k, namespace), f in followers.items() if k == kind}
            gaps = [_gap(kind, namespace, f.gap) for namespace, f in own.items() if f.gap]
            if not own and kind.group in self._found.down:
                gaps.append(_gap(kind, None, f"could not be listed: {self._found.down[kind.group]}"))
            if own and None not in own:
                others = tuple(namespace for namespace in own if namespace)
                gaps.append(Gap(kind.kind, kind.heading, None, NOT_CHOSEN, others, chosen=True))
            items = [item for f in own.values() for item in f.items()]
            yield Part(kind, items, tuple(gaps))

    # ---- which kinds there are ----

    def _discovered(self, found: Discovery) -> None:
        """Follow the kinds that are served.

        One that is not listed any more is followed until the server says of its own path that there is no such thing: a server that is
        starting lists kinds before it knows all of them.
        """
        with self._changing:
            wanted: dict[tuple[ClusterKind, str | None], Follower] = {}
            for kind in self._kinds:
                served = found.served(kind)
                for namespace in self._wanted.namespaces if kind.namespaced and self._wanted.namespaces else (None,):
                    old = self._followers.get((kind, namespace))
                    goes_on = old is not None and not old.gone
                    if served is None or kind.group in found.down:
                        if old is not None and goes_on:
                            wanted[kind, namespace] = old
                    elif old is not None and goes_on and old.served == served:
                        wanted[kind, namespace] = old
                    else:
                        wanted[kind, namespace] = Follower(self._api, served, namespace, self._ignored, self._tell)
            with self._lock:
                before, self._followers, self._found = self._followers, wanted, found
            for key, follower in before.items():
                if wanted.get(key) is not follower:
                    follower.stop()
                    self._tell(Told(key[0].kind, "listed"))
            for key, follower in wanted.items():
                if before.get(key) is not follower:
                    follower.start()

    def _rediscover(self) -> None:
        while not self._ended.wait(DISCOVERY):
            try:
                self._discovered(discover(self._api))
            except Exception as error:  # the followers say that the server is away; the next look is in a minute
                self._tell(Told("discovery", "interrupted", type(error).__name__))

    def _all(self) -> list[Follower]:
        with self._lock:
            return list(self._followers.values())


def _gap(kind: ClusterKind, namespace: str | None, reason: str) -> Gap:
    return Gap(kind.kind, kind.heading, namespace, reason, (), kind.namespaced)
