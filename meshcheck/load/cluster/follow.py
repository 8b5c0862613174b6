"""Keeps the objects of one kind current: a list, then a watch from where the list ended; again from where the watch ended.

Sources: kubernetes/kubernetes:staging/src/k8s.io/client-go/tools/cache/reflector.go (list, watch, bookmarks, 410 means a new list);
staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go:ListOptions (allowWatchBookmarks, timeoutSeconds).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from meshcheck.errors import MeshcheckError
from meshcheck.load.cluster.api import Api, ApiError
from meshcheck.load.cluster.discovery import Served
from meshcheck.load.cluster.essence import essence
from meshcheck.load.cluster.lists import list_objects, whole
from meshcheck.load.cluster.reading import selector_of, words
from meshcheck.model.record import value

SILENCE = 100.0
"""Seconds without a word after which a connection counts as dead: bookmarks come once a minute."""
STALE = 120.0
"""Seconds without the server after which what was read is no longer what is."""
_TURN = 300
"""Seconds after which the server ends a watch in good order; each kind has its own, so that they do not come back together."""
_LONGEST_PAUSE = 10.0
_STUCK = 1200.0
"""Seconds without a sign after which a thread counts as stuck: twice as long as a watch lasts, or a list at its slowest."""

CONNECTED, INTERRUPTED, REFUSED = "connected", "interrupted", "refused"

Key = tuple[str, str]
"""(namespace, name); the namespace is empty for kinds of the cluster."""


Ignored = Callable[[str, str, str], bool]
"""Whether objects of a (kind, namespace, name) are none of the World's: the report that is made of it."""


@value
class Told:
    """Something that happened: `what` is changed (an object), listed (otherwise than before), interrupted or gap; `detail` the reason."""

    kind: str
    what: str
    detail: str = ""


class Follower:
    """One kind, of one namespace or of all. Its thread is the only one that writes; `items` and `gap` may be read at any time."""

    def __init__(self, api: Api, served: Served, namespace: str | None, ignored: Ignored, tell: Callable[[Told], None]) -> None:
        self.served, self.namespace = served, namespace
        self._api, self._ignored, self._tell = api, ignored, tell
        self._ended = threading.Event()
        self._items: dict[Key, dict[str, Any]] = {}
        self._version = ""
        self._heard = 0.0
        self._pause = 0.0
        self._sign = time.monotonic()
        """When the thread last moved."""
        self.lock = threading.Lock()
        self.synced = threading.Event()
        """Set once the kind was listed, or could not be."""
        self.gap = "have not been listed yet"
        """Why the objects are not known; empty when they are."""
        self.gone = False
        """The server does not serve the kind any more."""
        self.state = INTERRUPTED
        """connected, interrupted (and tried again), or refused."""

    def start(self) -> None:
        """Follow from now on, in a thread of its own."""
        threading.Thread(target=self._run, name=f"follow {self.served.kind.resource}", daemon=True).start()

    def stop(self) -> None:
        """Do not begin anything any more. A request that waits for an answer ends with the process."""
        self._ended.set()

    @property
    def is_stuck(self) -> bool:
        """Whether the thread has neither heard anything nor tried anything for too long, or has ended without being told to."""
        return not self._ended.is_set() and time.monotonic() - self._sign > _STUCK

    def items(self) -> list[dict[str, Any]]:
        """The objects as they are known now, in the order of lists; of a kind with a gap, none.

        An object that has not changed in anything that matters is the same value as before.
        """
        with self.lock:
            return [] if self.gap else [item for _, item in sorted(self._items.items(), key=lambda pair: "/".join(pair[0]))]

    # ---- the thread ----

    def _run(self) -> None:
        while not self._ended.is_set():
            self._sign = time.monotonic()
            try:
                if not self._version:
                    self._list()
                self._watch()
            except ApiError as error:
                self._refused(error)
            except MeshcheckError as error:  # unreachable, or the credentials have run out
                self._unreachable(str(error))
            except Exception as error:
                # A broken line, a half-closed connection, whatever a proxy says: read it all again
                self._version = ""
                self._unreachable(f"{type(error).__name__}: {error}")
            self._ended.wait(self._pause * random.uniform(0.8, 1.2))

    def _list(self) -> None:
        listed = list_objects(self._api, self.served, self.namespace, field_selector=selector_of(self.served.kind))
        kind = self.served.kind.kind
        new = {key: item for item in listed.items if not self._ignored(kind, *(key := _key(item)))}
        with self.lock:
            for key, item in new.items():
                old = self._items.get(key)
                if old is not None and essence(old) == essence(item):
                    new[key] = old
            same = self._items.keys() == new.keys() and all(self._items[key] is item for key, item in new.items())
            changed = self.gap != "" or not same
            self._items, self.gap, self._version = new, "", listed.resource_version
        self._open()
        self.synced.set()
        if changed:
            self._tell(Told(kind, "listed"))

    def _watch(self) -> None:
        """Follow the changes until the server ends the watch, which is no failure."""
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": int(_TURN * random.uniform(1, 2)),
            "fieldSelector": selector_of(self.served.kind),
        }
        for event in self._api.stream(self.served.path(self.namespace), timeout=SILENCE, on_open=self._open, **query):
            if self._ended.is_set():
                return
            self._heard = self._sign = time.monotonic()
            self._pause = 0.0
            self._event(event)

    def _open(self) -> None:
        self._heard, self.state = time.monotonic(), CONNECTED

    def _event(self, event: dict[str, Any]) -> None:
        kind, found = event.get("type"), event.get("object") or {}
        if kind == "ERROR":
            raise ApiError(int(found.get("code") or 500), str(found.get("message") or "the watch failed"), found)
        version = (found.get("metadata") or {}).get("resourceVersion")
        if kind != "BOOKMARK":
            self._object(whole(found, self.served.kind.kind, self.served.api_version), kind == "DELETED")
        if version:
            self._version = str(version)

    def _object(self, item: dict[str, Any], deleted: bool) -> None:
        """An object is new, changed or gone; tell it when that can matter."""
        kind, key = self.served.kind.kind, _key(item)
        if self._ignored(kind, *key):
            return
        with self.lock:
            before = self._items.get(key)
            if deleted:
                self._items.pop(key, None)
            elif before is not None and essence(before) == essence(item):
                return
            else:
                self._items[key] = item
        self._tell(Told(kind, "changed"))

    # ---- trouble ----

    def _refused(self, error: ApiError) -> None:
        if error.code == 410:
            self._version = ""
            self._interrupted("expired", 0.0)
        elif error.code == 401:
            self._version = ""  # a list renews what has run out, a watch does not
            self._unreachable(words(error))
        elif error.code == 403:
            self._lost(f"could not be listed: {words(error)}")
            self._interrupted("forbidden", min(max(2.0, 2 * self._pause), _LONGEST_PAUSE))  # a server that starts knows no roles yet
        elif error.code == 404:
            self.gone = True
            self._ended.set()
            with self.lock:
                self._items = {}
            self.synced.set()
            self._tell(Told(self.served.kind.kind, "listed"))
        else:
            self._unreachable(words(error))

    def _unreachable(self, why: str) -> None:
        if time.monotonic() - self._heard > STALE:
            self._lost(f"could not be followed: {why}")
        self._interrupted("unreachable", min(max(0.5, 2 * self._pause), _LONGEST_PAUSE))

    def _lost(self, reason: str) -> None:
        """What is known is no longer true, or never was."""
        with self.lock:
            new = self.gap != reason
            self.gap, self._version = reason, ""
        self.synced.set()
        if new:
            self._tell(Told(self.served.kind.kind, "gap", reason))

    def _interrupted(self, reason: str, pause: float) -> None:
        self.state, self._pause = REFUSED if reason == "forbidden" else INTERRUPTED, pause
        self._tell(Told(self.served.kind.kind, "interrupted", reason))


def _key(item: dict[str, Any]) -> Key:
    meta = item["metadata"]
    return meta.get("namespace") or "", meta["name"]
