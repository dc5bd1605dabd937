"""A watch that goes on over broken connections, and the mirror that it feeds, for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from ._calls import STREAM_IDLE_S, Backoff, passes
from .answers import Revision
from .errors import ContinuoError, FaultError, NoServerError, TryAgainError, UsageError, from_rpc
from .events import Disconnected, Event, EventReader
from .mirror import MirrorState

if TYPE_CHECKING:
    from .aio import AsyncClient


class AsyncWatch:
    """See `Watch`: `async for event in watch`, in one task. `close` and `resync` may be called from any task of the loop."""

    def __init__(self, open_stream: Callable[[Any, bool], Any], address: str, from_revision: Revision | None,
                 reconnect: bool) -> None:
        self._open = open_stream
        self._address = address
        self._reconnect = reconnect
        self._reader = EventReader(from_revision)
        self._call: Any = None
        self._closed = asyncio.Event()
        self._resync = False
        self._backoff = Backoff()
        self._told = False

    async def __aenter__(self) -> AsyncWatch:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self.close()

    def __aiter__(self) -> AsyncWatch:
        return self

    def close(self) -> None:
        """See Watch.close."""
        self._closed.set()
        self._drop()

    def resync(self) -> None:
        """See Watch.resync."""
        self._resync = True
        self._drop()

    async def __anext__(self) -> Event:
        while not self._closed.is_set():
            try:
                event = self._reader.read(await self._next())
                self._backoff.reset()
                self._told = False
                if event is not None:
                    return event
                continue
            except grpc.RpcError as error:
                lost = from_rpc(error, self._address)
            except FaultError as error:
                self._resync = True
                lost = FaultError(error.message, error.reason, "", "INTERNAL")
            except NoServerError as error:
                lost = error
            except asyncio.CancelledError:
                if not self._closed.is_set() and not self._resync:
                    raise  # the task is cancelled, not our call
                lost = NoServerError("the stream was dropped", "", "", "UNAVAILABLE")
            told = await self._lost(lost)
            if told is not None:
                return told
        self.close()
        raise StopAsyncIteration

    async def _next(self) -> Any:
        if self._call is None:
            if self._resync:
                self._reader.forget()
                self._resync = False
            self._call = self._open(self._reader.request(), self._told)
        call = self._call
        try:
            message = await asyncio.wait_for(call.read(), STREAM_IDLE_S)
        except asyncio.TimeoutError:
            raise NoServerError(f"the daemon at {self._address} is silent", "STREAM_IDLE", "", "UNAVAILABLE") from None
        if message is grpc.aio.EOF:
            # A call that ended badly says so here, not at the read.
            if await call.code() != grpc.StatusCode.OK:
                raise grpc.aio.AioRpcError(await call.code(), await call.initial_metadata(),
                                           await call.trailing_metadata(), await call.details())
            raise NoServerError(f"the daemon at {self._address} ended the watch", "STREAM_ENDED", "", "UNAVAILABLE")
        return message

    async def _lost(self, error: ContinuoError) -> Disconnected | None:
        self._drop()
        if self._closed.is_set() or self._resync:
            return None
        if not self._reconnect or not passes(error.status, stream=True):
            self._closed.set()
            raise error
        if self._told:
            try:
                await asyncio.wait_for(self._closed.wait(), self._backoff.pause_s())
            except asyncio.TimeoutError:
                pass
            return None
        self._told = True
        return Disconnected(error)

    def _drop(self) -> None:
        if self._call is not None:
            self._call.cancel()
            self._call = None


class AsyncMirror(MirrorState):
    """See `SessionMirror`: the same in one loop, kept by a task of its own."""

    def __init__(self, client: AsyncClient, timeout_s: float) -> None:
        super().__init__()
        self._client = client
        self._timeout_s = timeout_s
        self._watch = client.watch()
        self._news = asyncio.Condition()
        self._listeners: list[Callable[[Event], None]] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> AsyncMirror:
        self._task = asyncio.create_task(self._run(), name="continuo-mirror")
        try:
            await self.wait_for(lambda document: True, self._timeout_s)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends it; the document stays as it is."""
        self._watch.close()
        if self._task is not None and self._task is not asyncio.current_task():
            await asyncio.wait([self._task])

    def listen(self, callback: Callable[[Event], None]) -> None:
        """See SessionMirror.listen; called in the loop."""
        self._listeners.append(callback)

    async def wait_for(self, predicate: Callable[[Mapping[str, Any]], bool], timeout_s: float) -> Mapping[str, Any]:
        """See SessionMirror.wait_for."""
        def ready() -> bool:
            return self.error is not None or self._watch._closed.is_set() or (
                self.revision is not None and predicate(self.document))

        async def wait() -> None:
            async with self._news:
                await self._news.wait_for(ready)
        try:
            await asyncio.wait_for(wait(), timeout_s)
        except asyncio.TimeoutError:
            raise TryAgainError(f"not so within {timeout_s:g} s", "DEADLINE_EXCEEDED") from None
        if self.error is not None:
            raise self.error
        if self.revision is not None and predicate(self.document):
            return self.document
        raise UsageError("the mirror was closed", "CLOSED")

    async def wait_until(self, revision: Revision, timeout_s: float) -> Mapping[str, Any]:
        """See SessionMirror.wait_until."""
        return await self.wait_for(lambda _: self._reached(revision), timeout_s)

    async def _run(self) -> None:
        try:
            async for event in self._watch:
                if self._wants_types(event):
                    await self._read_types()
                if not self._take(event):
                    await self._fetch()
                await self._tell()
                for callback in self._listeners:
                    callback(event)
        except ContinuoError as error:
            self.error = error
        finally:
            self._watch.close()
            self.connected = False
            await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _read_types(self) -> None:
        try:
            self._set_types(await self._client._defaults())
        except ContinuoError:
            pass  # the next snapshot asks again

    async def _fetch(self) -> None:
        try:
            text = await self._client.session()
        except ContinuoError:
            return self._watch.resync()
        self._followed.replace(text.document, text.revision)
