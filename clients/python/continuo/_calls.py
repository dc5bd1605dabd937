"""What the client and its asyncio twin share: how calls are made, retried and asked for. Nothing here waits."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from . import v1
from .answers import Revision
from .errors import ContinuoError, TryAgainError, UsageError
from .events import Event, Heartbeat, Snapshot, TakeChanged
from .when import Moment, to_when

CHUNK_BYTES = 512 << 10

# A stream that says nothing for so long is dead: a watch has a heartbeat every 5 s, meters a frame every second.
STREAM_IDLE_S = 20.0

# gRPC's names of what passes by itself: the daemon restarts, a connection breaks, a slow reader is let go.
_PASSING = {"UNAVAILABLE"}
_PASSING_FOR_STREAMS = _PASSING | {"CANCELLED", "INTERNAL", "UNKNOWN", "ABORTED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}


def passes(status: str, stream: bool = False) -> bool:
    """Whether the same call may succeed a moment later."""
    return status in (_PASSING_FOR_STREAMS if stream else _PASSING)


def stub(name: str, channel: Any) -> Any:
    """gRPC's stubs have no types."""
    return getattr(v1, name)(channel)


class Backoff:
    """Pauses between attempts: 50 ms, twice as long each time, 1 s at most."""

    def __init__(self) -> None:
        self._next_s = 0.05

    def reset(self) -> None:
        self._next_s = 0.05

    def pause_s(self) -> float:
        pause, self._next_s = self._next_s, min(1.0, self._next_s * 2)
        return pause


class CallAttempts:
    """One call, tried again for at most retry_s, and for no longer than it may last."""

    def __init__(self, retry_s: float, timeout_s: float) -> None:
        begin = time.monotonic()
        self._end = begin + timeout_s
        self._last = begin + min(retry_s, timeout_s)
        self._backoff = Backoff()

    def left_s(self) -> float:
        """What this attempt may last."""
        return max(self._end - time.monotonic(), 0.05)

    def retry_left_s(self) -> float:
        return self._last - time.monotonic()

    def pause_s(self, error: ContinuoError) -> float:
        """How long to wait before the next one. Raises the error where there is none."""
        pause = self._backoff.pause_s()
        if not passes(error.status) or pause > self.retry_left_s():
            raise error
        return pause


@dataclass(frozen=True)
class Send:
    """How a transaction is sent; see `Client.transaction`."""

    at: Moment | None = None
    wait: str | None = None
    max_wait_s: float | None = None
    expected: Revision | None = None
    request_id: str | None = None
    dry_run: bool = False
    timeout_s: float | None = None

    def call_timeout_s(self, usual_s: float) -> float:
        """Longer than the daemon waits for the outcome."""
        return max(self.timeout_s or usual_s, (self.max_wait_s or 0.0) + (2.0 if self.max_wait_s else 0.0))


TakeBack = TypeVar("TakeBack", v1.UndoRequest, v1.RedoRequest)
_WAITS = {"committed": v1.WAIT_COMMITTED, "applied": v1.WAIT_APPLIED}


def apply_request(operations: Iterable[v1.Operation], send: Send, client: str, timeline_rate_hz: float,
                  leases: list[str]) -> v1.ApplyRequest:
    """With a request id of its own unless it has one: each attempt sends these very bytes. UsageError for a wait that is
    none."""
    if send.wait is not None and send.wait not in _WAITS:
        raise UsageError(f"'{send.wait}' is nothing to wait for; write \"applied\" or \"committed\"", "BAD_WAIT", "wait")
    return v1.ApplyRequest(
        operations=operations, when=None if send.at is None else to_when(send.at, timeline_rate_hz),
        expected_revision=send.expected.to_proto() if send.expected else None,
        request_id=send.request_id or str(uuid.uuid4()), dry_run=send.dry_run,
        wait=_WAITS[send.wait] if send.wait else None,
        max_wait_ms=None if send.max_wait_s is None else round(send.max_wait_s * 1000), client=client,
        leases=leases)


def take_back_request(kind: type[TakeBack], transaction_id: int | None, send: Send, client: str, leases: list[str]) -> TakeBack:
    """An UndoRequest or RedoRequest, in the manner of apply_request."""
    like = apply_request((), send, client, 0.0, leases)
    return kind(transaction_id=transaction_id, request_id=like.request_id, dry_run=like.dry_run,
                wait=like.wait if like.HasField("wait") else None,
                max_wait_ms=like.max_wait_ms if like.HasField("max_wait_ms") else None, client=client, leases=leases)


def load_requests(text: bytes, base: str | None, dry_run: bool, keep_transport: bool,
                  leases: list[str]) -> Iterator[v1.LoadSessionRequest]:
    yield v1.LoadSessionRequest(json=text[:CHUNK_BYTES], base=base, dry_run=dry_run, keep_transport=keep_transport,
                                leases=leases)
    for at in range(CHUNK_BYTES, len(text), CHUNK_BYTES):
        yield v1.LoadSessionRequest(json=text[at:at + CHUNK_BYTES])


def events_request(since: str | None, until: str | None, kinds: Iterable[str], after_id: int, page: int,
                   last: bool) -> v1.ListEventsRequest:
    try:
        numbers = [v1.Event.Kind.Value("KIND_" + kind.upper()) for kind in kinds]
    except ValueError as error:
        raise UsageError(f"{error}; kinds are {', '.join(_event_kinds())}", "UNKNOWN_KIND", "kinds") from error
    return v1.ListEventsRequest(since_utc=since, until_utc=until, kinds=numbers, after_id=after_id, page_size=page, last=last)


def _event_kinds() -> list[str]:
    return [name.removeprefix("KIND_").lower() for name in v1.Event.Kind.keys()[1:]]


def media_name(roots: Mapping[str, str], file: str | os.PathLike[str]) -> str | None:
    """"root:relative" of a file or folder of this machine, by the deepest of the daemon's roots that holds it; None where
    none does, or the daemon is on another machine."""
    here = os.path.realpath(file)
    best: tuple[int, str] | None = None
    for name, folder in roots.items():
        root = os.path.realpath(folder)
        if os.path.isdir(root) and (here == root or here.startswith(root.rstrip("/") + "/")):
            relative = "" if here == root else here[len(root.rstrip("/")) + 1:]
            best = max(best or (-1, ""), (len(root), f"{name}:{relative}"))
    return best[1] if best else None


def takes_told(event: Event) -> list[v1.GetStatusResponse.Take] | None:
    """What an event says of takes. None: the status is to be asked, because the watch begins, or something may have been
    missed."""
    if isinstance(event, (Snapshot, Heartbeat)):
        return None
    return [event.take] if isinstance(event, TakeChanged) and event.take is not None else []


def still_running(take_id: int, timeout_s: float) -> TryAgainError:
    return TryAgainError(f"take {take_id} is not closed after {timeout_s:g} s", "DEADLINE_EXCEEDED", "take_id")
