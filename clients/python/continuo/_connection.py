"""How the two clients reach the daemon: the channel, what is shown on it, and how calls are made and tried again."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, TypeVar

import grpc
import grpc.aio

from . import _calls
from ._server import NEWEST_FIRST, call_metadata, channel_options, credentials, find_identity, find_server
from .errors import ContinuoError, UsageError, from_rpc

M = TypeVar("M")
Self = TypeVar("Self", bound="Connection")
AsyncSelf = TypeVar("AsyncSelf", bound="AsyncConnection")


class _Way:
    """A channel and its stubs. Opened at the first call."""

    _api: Any  # grpc or grpc.aio

    def __init__(self, server: str | None = None, *, name: str | None = None, timeout_s: float = 10.0,
                 retry_s: float = 2.0, token_file: str | os.PathLike[str] | None = None,
                 tls: str | os.PathLike[str] | None = None) -> None:
        self.address = find_server(server)
        self.name = name or f"continuo python {os.getpid()}"
        self.timeout_s = timeout_s
        self.retry_s = retry_s
        identity = find_identity(self.address, token_file, tls)
        self._metadata = call_metadata(identity)
        self._secret = credentials(self.address, identity)
        self._channel: Any = self._open()
        self._system = _calls.stub("SystemServiceStub", self._channel)
        self._session = _calls.stub("SessionServiceStub", self._channel)
        self._meters = _calls.stub("MeterServiceStub", self._channel)
        self._devices = _calls.stub("DeviceServiceStub", self._channel)
        self._events = _calls.stub("EventServiceStub", self._channel)
        self._leases = _calls.stub("LeaseServiceStub", self._channel)
        self._jobs = _calls.stub("JobServiceStub", self._channel)
        self._params = _calls.stub("ParamServiceStub", self._channel)
        self._held: list[str] = []  # tokens of the leases that this client has: each write sends them
        self._newest_lock = threading.Lock()
        self._newest_channel: Any = None  # guarded by the lock
        self._closed = False  # guarded by the lock

    def _open(self, more: tuple[tuple[str, int | str], ...] = ()) -> Any:
        options = [*channel_options(self.address), *more]
        return (self._api.secure_channel(self.address, self._secret, options) if self._secret
                else self._api.insecure_channel(self.address, options))

    def _newest(self) -> Any:
        """The stub of what is followed and of which a slow reader gets the newest; over a channel of its own."""
        with self._newest_lock:
            if self._closed:
                raise UsageError("the client is closed", "CLOSED")
            if self._newest_channel is None:
                self._newest_channel = self._open(NEWEST_FIRST)
            return _calls.stub("MeterServiceStub", self._newest_channel)

    def _channels(self) -> list[Any]:
        """All that there are; there will be no more."""
        with self._newest_lock:
            self._closed = True
            return [each for each in (self._channel, self._newest_channel) if each is not None]

    def _tokens(self) -> list[str]:
        return self._held.copy()


class Connection(_Way):
    """What `Client` is made of."""

    _api = grpc

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection and whatever still runs over it."""
        for channel in self._channels():
            channel.close()

    def _call(self, answer: type[M], method: Any, request: Any, *, retry: bool = True) -> M:
        def once(timeout_s: float) -> M:
            response: M = method(request, timeout=timeout_s, metadata=self._metadata)
            return response
        return self._retrying(once, self.timeout_s) if retry else self._once(lambda: once(self.timeout_s))

    def _once(self, call: Callable[[], M]) -> M:
        try:
            return call()
        except grpc.RpcError as error:
            raise from_rpc(error, self.address) from error
        except ValueError as error:  # what gRPC raises on a channel that was closed
            raise UsageError(f"the client is closed: {error}", "CLOSED") from error

    def _retrying(self, call: Callable[[float], M], timeout_s: float) -> M:
        attempts = _calls.CallAttempts(self.retry_s, timeout_s)
        while True:
            try:
                return self._once(lambda: call(attempts.left_s()))
            except ContinuoError as error:
                pause = attempts.pause_s(error)
            self._pause(pause, attempts.retry_left_s())

    def _pause(self, pause_s: float, within_s: float) -> None:
        """Between two attempts: then until somebody answers, at most within_s. gRPC looks for a daemon that comes back only
        while it is waited for."""
        time.sleep(pause_s)
        ready = grpc.channel_ready_future(self._channel)
        try:
            ready.result(timeout=max(within_s - pause_s, 0.0))
        except grpc.FutureTimeoutError:
            ready.cancel()


class AsyncConnection(_Way):
    """What `AsyncClient` is made of."""

    _api = grpc.aio

    async def __aenter__(self: AsyncSelf) -> AsyncSelf:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection and whatever still runs over it."""
        for channel in self._channels():
            await channel.close()

    async def _call(self, answer: type[M], method: Any, request: Any, *, retry: bool = True) -> M:
        async def once(timeout_s: float) -> M:
            response: M = await method(request, timeout=timeout_s, metadata=self._metadata)
            return response
        if retry:
            return await self._retrying(once, self.timeout_s)
        return await self._once(lambda: once(self.timeout_s))

    async def _once(self, call: Callable[[], Awaitable[M]]) -> M:
        try:
            return await call()
        except grpc.RpcError as error:
            raise from_rpc(error, self.address) from error
        except grpc.aio.UsageError as error:
            raise UsageError(f"the client is closed: {error}", "CLOSED") from error

    async def _retrying(self, call: Callable[[float], Awaitable[M]], timeout_s: float) -> M:
        attempts = _calls.CallAttempts(self.retry_s, timeout_s)
        while True:
            try:
                return await self._once(lambda: call(attempts.left_s()))
            except ContinuoError as error:
                pause = attempts.pause_s(error)
            await self._pause(pause, attempts.retry_left_s())

    async def _pause(self, pause_s: float, within_s: float) -> None:
        await asyncio.sleep(pause_s)
        try:
            await asyncio.wait_for(self._channel.channel_ready(), max(within_s - pause_s, 0.0))
        except asyncio.TimeoutError:
            pass
