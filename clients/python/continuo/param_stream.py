"""Parameters by handle, for faders and encoders. Made by `Client.param_stream` and `AsyncClient.param_stream`."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import grpc

from . import v1
from .errors import ContinuoError, TryAgainError, UsageError, from_rpc

if TYPE_CHECKING:
    from .aio import AsyncClient
    from .client import Client

MESSAGES_WAITING = 64  # to be sent; then flush() waits


class _Stream:
    """What both have: the newest value of each parameter until it is sent, and what the daemon said last."""

    def __init__(self, names: Sequence[str], ramp_ms: float | None) -> None:
        self._names = list(names)
        self._ramp_ms = ramp_ms
        self._handles: dict[str, int] = {}
        self._values: dict[str, float] = {}
        self._later: dict[tuple[int, str], float] = {}
        self._sequence = 0
        self._error: ContinuoError | None = None
        self._ended = False
        #: What the daemon said last: counts of what came, was passed over for a newer value, and was refused, and why.
        self.report = v1.StreamParamsResponse.Report()

    def set(self, name: str, value: float | bool, *, frame: int | None = None) -> None:
        """Sent by the next flush; of several of one parameter the last. A bool's value is True or False, a choice's its
        place among ParamSpec.choices. frame: the engine frame from which it counts, at most 2 s ahead. UsageError for a
        parameter that was not named when the stream was opened."""
        if name not in self._handles:
            raise UsageError(f"'{name}' is not on this stream: name it in param_stream([...])", "NOT_BOUND", "name")
        if frame is None:
            self._values[name] = float(value)
        else:
            self._later[frame, name] = float(value)

    def _bind(self, client: str, leases: list[str]) -> v1.StreamParamsRequest:
        bind = v1.StreamParamsRequest.Bind(params=self._names, client=client, leases=leases)
        return v1.StreamParamsRequest(bind=bind)

    def _bound(self, handles: Sequence[int]) -> None:
        self._handles = dict(zip(self._names, handles))

    def _changes(self) -> Iterator[v1.StreamParamsRequest]:
        """What is to be sent: values of now and those for a frame are messages of their own."""
        batches: list[tuple[list[str], list[float], list[int]]] = []
        if self._values:
            batches.append((list(self._values), list(self._values.values()), []))
        if self._later:
            order = sorted(self._later)
            batches.append(([name for _, name in order], [self._later[key] for key in order], [at for at, _ in order]))
        self._values.clear()
        self._later.clear()
        for names, values, frames in batches:
            self._sequence += 1
            yield v1.StreamParamsRequest(changes=v1.StreamParamsRequest.Changes(
                handles=[self._handles[name] for name in names], values=values, engine_frames=frames,
                ramp_ms=self._ramp_ms, sequence=self._sequence))

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._ended:
            raise UsageError("the stream is over", "CLOSED")


def _late(timeout_s: float) -> TryAgainError:
    return TryAgainError(f"the daemon does not take the values within {timeout_s:g} s", "DEADLINE_EXCEEDED")


class ParamStream(_Stream):
    """See `Client.param_stream`. For one thread at a time; another one reads the reports."""

    def __init__(self, client: Client, names: Sequence[str], ramp_ms: float | None) -> None:
        super().__init__(names, ramp_ms)
        self._client = client
        self._out: queue.Queue[v1.StreamParamsRequest | None] = queue.Queue(MESSAGES_WAITING)
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> ParamStream:
        self._out.put(self._bind(self._client.name, self._client._tokens()))
        call = self._client._params.StreamParams(iter(self._out.get, None), metadata=self._client._metadata)
        self._thread = threading.Thread(target=self._read, args=(call,), name="continuo-params", daemon=True)
        self._thread.start()
        with self._news:
            self._wait(lambda: self._ended or len(self._handles) == len(set(self._names)), self._client.timeout_s)
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Returns when the last values are in the sound. What went wrong with the stream is raised, unless the block did."""
        if kind is None and not self._ended:
            self.flush()
        with contextlib.suppress(ContinuoError):
            self._put(None)
        assert self._thread is not None
        self._thread.join(self._client.timeout_s)
        if kind is None and self._error is not None:
            raise self._error

    def flush(self) -> None:
        """Sends what was set: one message, whatever their number. Raises what ended the stream."""
        self._check()
        for message in self._changes():
            self._put(message)

    def gesture(self) -> None:
        """What was set before is one step of undo, what comes from here on another one."""
        self.flush()
        self._put(v1.StreamParamsRequest(gesture=v1.StreamParamsRequest.Gesture()))

    def wait_applied(self, timeout_s: float = 2.0) -> int:
        """Returns the engine frame from which all that was flushed is in the sound, without what has a frame to come.
        TryAgainError (DEADLINE_EXCEEDED) after timeout_s."""
        with self._news:
            self._wait(lambda: self._ended or self.report.applied_sequence == self._sequence, timeout_s)
        self._check()
        return self.report.engine_frame

    def _wait(self, ready: object, timeout_s: float) -> None:
        assert callable(ready)
        if not self._news.wait_for(ready, timeout_s):
            raise _late(timeout_s)

    def _put(self, message: v1.StreamParamsRequest | None) -> None:
        end = time.monotonic() + self._client.timeout_s
        while True:
            if self._ended:
                if message is not None:
                    self._check()
                return
            try:
                return self._out.put(message, timeout=0.1)
            except queue.Full:
                if time.monotonic() > end:
                    raise _late(self._client.timeout_s) from None

    def _read(self, call: Iterator[v1.StreamParamsResponse]) -> None:
        error: ContinuoError | None = None
        try:
            for message in call:
                with self._news:
                    if message.HasField("bound"):
                        self._bound(message.bound.handles)
                    else:
                        self.report = message.report
                    self._news.notify_all()
        except grpc.RpcError as failure:
            error = from_rpc(failure, self._client.address)
        with self._news:
            self._error = error
            self._ended = True
            self._news.notify_all()
        with contextlib.suppress(queue.Full):
            self._out.put_nowait(None)  # gRPC's own thread waits for more


class AsyncParamStream(_Stream):
    """See `AsyncClient.param_stream`."""

    def __init__(self, client: AsyncClient, names: Sequence[str], ramp_ms: float | None) -> None:
        super().__init__(names, ramp_ms)
        self._client = client
        self._call: grpc.aio.StreamStreamCall[v1.StreamParamsRequest, v1.StreamParamsResponse] | None = None
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> AsyncParamStream:
        self._call = self._client._params.StreamParams(metadata=self._client._metadata)
        self._task = asyncio.create_task(self._read())
        try:
            await self._write(self._bind(self._client.name, self._client._tokens()))
            while not self._ended and len(self._handles) < len(set(self._names)):
                await self._hear(self._client.timeout_s)
            if self._error is not None:
                raise self._error
        except BaseException:
            await self._let_go()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        """Returns when the last values are in the sound. What went wrong with the stream is raised, unless the block did."""
        try:
            if kind is None and not self._ended:
                await self.flush()
            assert self._call is not None and self._task is not None
            if not self._ended:
                with contextlib.suppress(grpc.RpcError, asyncio.InvalidStateError):
                    await self._call.done_writing()
            await asyncio.wait({self._task}, timeout=self._client.timeout_s)
        finally:
            await self._let_go()
        if kind is None and self._error is not None:
            raise self._error

    async def flush(self) -> None:
        """See ParamStream.flush."""
        self._check()
        for message in self._changes():
            await self._write(message)

    async def gesture(self) -> None:
        """See ParamStream.gesture."""
        await self.flush()
        await self._write(v1.StreamParamsRequest(gesture=v1.StreamParamsRequest.Gesture()))

    async def wait_applied(self, timeout_s: float = 2.0) -> int:
        """See ParamStream.wait_applied."""
        end = time.monotonic() + timeout_s
        while not self._ended and self.report.applied_sequence != self._sequence:
            await self._hear(max(end - time.monotonic(), 0.0))
        self._check()
        return self.report.engine_frame

    async def _hear(self, timeout_s: float) -> None:
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), timeout_s)
        except asyncio.TimeoutError:
            raise _late(timeout_s) from None

    async def _write(self, message: v1.StreamParamsRequest) -> None:
        assert self._call is not None
        try:
            await self._call.write(message)
        except (grpc.RpcError, asyncio.InvalidStateError):
            if self._task is not None:
                await asyncio.wait({self._task}, timeout=self._client.timeout_s)  # it knows why
            self._check()

    async def _read(self) -> None:
        assert self._call is not None
        try:
            async for message in self._call:
                if message.HasField("bound"):
                    self._bound(message.bound.handles)
                else:
                    self.report = message.report
                self._news.set()
        except grpc.RpcError as failure:
            self._error = from_rpc(failure, self._client.address)
        finally:
            self._ended = True
            self._news.set()

    async def _let_go(self) -> None:
        if self._call is not None:
            self._call.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
