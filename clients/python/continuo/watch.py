"""A watch that goes on over broken connections, for threads."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any

import grpc

from ._calls import STREAM_IDLE_S, Backoff, passes
from .answers import Revision
from .errors import ContinuoError, FaultError, NoServerError, from_rpc
from .events import Disconnected, Event, EventReader


class Watch:
    """An iterator of events; see `Client.watch`. One thread iterates; any thread may `close` it, which ends the iteration,
    or call `resync`. A refusal (RefusedError, an older daemon) is raised, and ends it.

    Where the daemon is silent for 20 s (it has a heartbeat every 5 s) the connection counts as broken."""

    def __init__(self, open_stream: Callable[[Any, bool], Any], address: str, from_revision: Revision | None,
                 reconnect: bool) -> None:
        self._open = open_stream
        self._address = address
        self._reconnect = reconnect
        self._reader = EventReader(from_revision)
        self._lock = threading.Lock()
        self._call: Any = None  # guarded by _lock
        self._closed = threading.Event()
        self._resync = False
        self._backoff = Backoff()
        self._told = False  # of this outage
        self._waits_since: float | None = None
        self._dog: threading.Thread | None = None

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Watch:
        return self

    def close(self) -> None:
        """Ends it; whoever waits for the next event gets StopIteration."""
        self._closed.set()
        with self._lock:
            if self._call is not None:
                self._call.cancel()

    def resync(self) -> None:
        """Asks for the whole document again: a Snapshot follows."""
        self._resync = True
        with self._lock:
            if self._call is not None:
                self._call.cancel()

    def __next__(self) -> Event:
        while not self._closed.is_set():
            call = self._stream()
            if call is None:
                break
            try:
                self._waits_since = time.monotonic()
                event = self._reader.read(next(call))
                self._backoff.reset()
                self._told = False
            except StopIteration:
                lost: ContinuoError = NoServerError(f"the daemon at {self._address} ended the watch", "STREAM_ENDED", "",
                                                    "UNAVAILABLE")
            except grpc.RpcError as error:
                lost = from_rpc(error, self._address)
            except FaultError as error:
                self._resync = True
                lost = FaultError(error.message, error.reason, "", "INTERNAL")
            else:
                if event is not None:
                    return event
                continue
            finally:
                self._waits_since = None
            told = self._lost(lost)
            if told is not None:
                return told
        self.close()
        raise StopIteration

    def _stream(self) -> Any:
        """The one that is open, or a new one; None where the watch was closed."""
        with self._lock:
            if self._closed.is_set():
                return None
            if self._call is None:
                if self._resync:
                    self._reader.forget()
                    self._resync = False
                self._call = self._open(self._reader.request(), self._told)
            if self._dog is None:
                self._dog = threading.Thread(target=_guard, args=(weakref.ref(self), self._closed), name="continuo-watch",
                                             daemon=True)
                self._dog.start()
            return self._call

    def _lost(self, error: ContinuoError) -> Disconnected | None:
        """The stream is over. Raises where it cannot come back; tells of an outage once."""
        with self._lock:
            if self._call is not None:
                self._call.cancel()
                self._call = None
        if self._closed.is_set() or self._resync:
            return None
        if not self._reconnect or not passes(error.status, stream=True):
            self._closed.set()
            raise error
        if self._told:
            self._closed.wait(self._backoff.pause_s())
            return None
        self._told = True
        return Disconnected(error)

    def _cut_if_silent(self) -> None:
        """Only what is waited for counts: a slow reader is no silence."""
        since = self._waits_since
        if since is not None and time.monotonic() - since > STREAM_IDLE_S:
            with self._lock:
                if self._call is not None:
                    self._call.cancel()


def _guard(of: weakref.ref[Watch], closed: threading.Event) -> None:
    """Ends with its watch, also with one that was forgotten."""
    while not closed.wait(STREAM_IDLE_S / 4):
        watch = of()
        if watch is None:
            return
        watch._cut_if_silent()
        del watch
