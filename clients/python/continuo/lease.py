"""Leases: the session, or a part of it, for one client alone. Made by `Client.lease` and `AsyncClient.lease`."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from . import v1
from .errors import ContinuoError, NotFoundError, UsageError

if TYPE_CHECKING:
    from .aio import AsyncClient
    from .client import Client

RENEW_PER_LEASE = 3  # so that two renewals may fail


class _Held:
    def __init__(self, path: str, seconds: float, note: str) -> None:
        self._path = path
        self._seconds = seconds
        self._note = note
        self._lease: v1.Lease | None = None
        self._held = False

    @property
    def lease(self) -> v1.Lease:
        """As the daemon gave it, or renewed it last. UsageError before the block."""
        if self._lease is None:
            raise UsageError("the lease is not taken yet: use it as `with client.lease(...)`", "NOT_HELD")
        return self._lease

    @property
    def token(self) -> str:
        """For another program: what `continuo --lease` takes."""
        return self.lease.token

    @property
    def held(self) -> bool:
        """False before and after the block, and in it where the lease was broken, or its node removed, or the daemon
        started again."""
        return self._held

    def _request(self, client: str, leases: list[str]) -> v1.AcquireLeaseRequest:
        return v1.AcquireLeaseRequest(path=self._path, seconds=self._seconds, note=self._note, client=client, leases=leases)


class Lease(_Held):
    """See `Client.lease`. A thread of its own renews it."""

    def __init__(self, client: Client, path: str, seconds: float, note: str) -> None:
        super().__init__(path, seconds, note)
        self._client = client
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Lease:
        client = self._client
        self._lease = client._call(v1.Lease, client._leases.AcquireLease,
                                   self._request(client.name, client._tokens()), retry=False)
        self._held = True
        client._held.append(self._lease.token)
        self._end.clear()
        self._thread = threading.Thread(target=self._renew, name="continuo-lease", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        if self._lost():
            return
        try:
            self._client._call(v1.ReleaseLeaseResponse, self._client._leases.ReleaseLease,
                               v1.ReleaseLeaseRequest(token=self.token))
        except NotFoundError:
            pass  # it had ended
        except ContinuoError:
            if kind is None:  # else what went wrong in the block is told; the lease ends by itself
                raise

    def _renew(self) -> None:
        client = self._client
        while not self._end.wait(self._seconds / RENEW_PER_LEASE):
            try:
                self._lease = client._call(v1.Lease, client._leases.RenewLease, v1.RenewLeaseRequest(token=self.token))
            except NotFoundError:
                self._lost()
                return
            except ContinuoError:
                pass  # no daemon answers: again, until one says that it has ended

    def _lost(self) -> bool:
        """From here on its token is not sent any more. True where that was so already."""
        before, self._held = self._held, False
        if before:
            self._client._held.remove(self.token)
        return not before


class AsyncLease(_Held):
    """See `AsyncClient.lease`. A task of its own renews it."""

    def __init__(self, client: AsyncClient, path: str, seconds: float, note: str) -> None:
        super().__init__(path, seconds, note)
        self._client = client
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> AsyncLease:
        client = self._client
        self._lease = await client._call(v1.Lease, client._leases.AcquireLease,
                                         self._request(client.name, client._tokens()), retry=False)
        self._held = True
        client._held.append(self._lease.token)
        self._task = asyncio.create_task(self._renew())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._lost():
            return
        try:
            await self._client._call(v1.ReleaseLeaseResponse, self._client._leases.ReleaseLease,
                                     v1.ReleaseLeaseRequest(token=self.token))
        except NotFoundError:
            pass  # it had ended
        except ContinuoError:
            if kind is None:
                raise

    async def _renew(self) -> None:
        client = self._client
        while True:
            await asyncio.sleep(self._seconds / RENEW_PER_LEASE)
            try:
                self._lease = await client._call(v1.Lease, client._leases.RenewLease,
                                                 v1.RenewLeaseRequest(token=self.token))
            except NotFoundError:
                self._lost()
                return
            except ContinuoError:
                pass

    def _lost(self) -> bool:
        before, self._held = self._held, False
        if before:
            self._client._held.remove(self.token)
        return not before
