"""A copy of the document that is always up to date."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .answers import Revision
from .document import Defaults, FollowedDocument, find_node
from .errors import ContinuoError, NotFoundError, TryAgainError, UsageError
from .events import Change, Disconnected, Event, Heartbeat, Snapshot
from .operations import Value, split_param

if TYPE_CHECKING:
    from .client import Client


class MirrorState:
    """What a mirror knows. All of it is of one moment, and never goes back within one epoch."""

    def __init__(self) -> None:
        self._followed = FollowedDocument({})
        self._types_of_before = True
        self._epochs: deque[int] = deque(maxlen=1000)  # those that are over
        #: The stream is up. While it is not, the document is the last one that came.
        self.connected = False
        #: Why the mirror ended, where it did by itself: it is no longer allowed, or the daemon is too old.
        self.error: ContinuoError | None = None

    @property
    def document(self) -> Mapping[str, Any]:
        """The session file's JSON. Each change makes another one: keep it as long as you like, and do not write to it."""
        return self._followed.document

    @property
    def revision(self) -> Revision | None:
        """None until the first snapshot is here."""
        return self._followed.revision

    def node(self, path: str) -> Mapping[str, Any]:
        """A node as the session file has it. NotFoundError where there is none."""
        found = find_node(self.document, path)
        if found is None and path in ("in", "out"):
            return {"id": path, "type": path}
        if found is None:
            raise NotFoundError(f"there is no node '{path}'", "UNKNOWN_NODE", path)
        return found

    def get(self, name: str) -> Value:
        """A parameter's own value, "vox.gain_db", also where it is the default. NotFoundError where there is none."""
        path, param = split_param(name)
        node = self.node(path)
        defaults = self._followed.defaults.get(node["type"], {})
        if param not in defaults:
            raise NotFoundError(f"'{path}' has no parameter {param}", "UNKNOWN_PARAM", name)
        value: Value = node.get("params", {}).get(param, defaults[param])
        return value

    def _reached(self, revision: Revision) -> bool:
        """What is here is that revision or a later one; an epoch that is over counts as reached."""
        here = self.revision
        return here is not None and (revision.epoch in self._epochs if here.epoch != revision.epoch
                                     else here.number >= revision.number)

    def _wants_types(self, event: Event) -> bool:
        """Defaults belong to the daemon's version: read again after an outage, with the next snapshot."""
        self._types_of_before = self._types_of_before or isinstance(event, Disconnected)
        return isinstance(event, Snapshot) and self._types_of_before

    def _set_types(self, defaults: Defaults) -> None:
        self._followed.defaults, self._types_of_before = defaults, False

    def _take(self, event: Event) -> bool:
        """False: the document must be fetched."""
        self.connected = not isinstance(event, Disconnected)
        if isinstance(event, Snapshot):
            before = self.revision
            if before is not None and before.epoch != event.revision.epoch:
                self._epochs.append(before.epoch)
            self._followed.take(event)
        if isinstance(event, Heartbeat):
            return event.revision == self.revision
        return not isinstance(event, Change) or self._followed.follow(event)


class SessionMirror(MirrorState):
    """See `Client.mirror`. Its properties may be read from any thread; one of its own keeps them."""

    def __init__(self, client: Client, timeout_s: float) -> None:
        super().__init__()
        self._client = client
        self._timeout_s = timeout_s
        self._watch = client.watch()
        self._news = threading.Condition()
        self._listeners: list[Callable[[Event], None]] = []
        self._thread = threading.Thread(target=self._run, name="continuo-mirror", daemon=True)

    def __enter__(self) -> SessionMirror:
        """TryAgainError where the document is not whole within timeout_s."""
        self._thread.start()
        try:
            self.wait_for(lambda document: True, self._timeout_s)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends it; the document stays as it is."""
        self._watch.close()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def listen(self, callback: Callable[[Event], None]) -> None:
        """Calls it with every event, once the document has it, from the mirror's thread: it must not block. What it raises
        ends the mirror."""
        self._listeners.append(callback)

    def wait_for(self, predicate: Callable[[Mapping[str, Any]], bool], timeout_s: float) -> Mapping[str, Any]:
        """The first document from now on, this one included, that the predicate holds of. TryAgainError
        (DEADLINE_EXCEEDED) after timeout_s; the mirror's own error where it ended."""
        with self._news:
            ready = self._news.wait_for(lambda: self.error is not None or self._ended() or (
                self.revision is not None and predicate(self.document)), timeout_s)
            if self.error is not None:
                raise self.error
            if self.revision is not None and predicate(self.document):
                return self.document
        if not ready:
            raise TryAgainError(f"not so within {timeout_s:g} s", "DEADLINE_EXCEEDED")
        raise UsageError("the mirror was closed", "CLOSED")

    def wait_until(self, revision: Revision, timeout_s: float) -> Mapping[str, Any]:
        """The document at this revision, or a later one, also of a session that was loaded since."""
        return self.wait_for(lambda _: self._reached(revision), timeout_s)

    def _ended(self) -> bool:
        return self._watch._closed.is_set()

    def _run(self) -> None:
        try:
            for event in self._watch:
                defaults = self._read_types() if self._wants_types(event) else None
                with self._news:
                    if defaults is not None:
                        self._set_types(defaults)
                    followed = self._take(event)
                if not followed:
                    self._fetch()
                with self._news:
                    self._news.notify_all()
                for callback in self._listeners:
                    callback(event)
        except ContinuoError as error:
            self.error = error
        finally:
            self._watch.close()
            self.connected = False
            with self._news:
                self._news.notify_all()

    def _read_types(self) -> Defaults | None:
        """None: not now; the next snapshot asks again. What cannot be followed without them is fetched."""
        try:
            return self._client._defaults()
        except ContinuoError:
            return None

    def _fetch(self) -> None:
        try:
            text = self._client.session()
        except ContinuoError:
            return self._watch.resync()
        with self._news:
            self._followed.replace(text.document, text.revision)
