"""The client for asyncio: the same calls as continuo.client, awaited. Everything of one client belongs to one loop."""

from __future__ import annotations

import asyncio
import os
import pathlib
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from . import _calls, v1
from .aio_media import AsyncMedia
from .aio_watch import AsyncMirror, AsyncWatch
from .answers import Answer, Loaded, Revision, SessionText, to_answer, to_loaded, to_revision
from .document import Defaults, read_defaults
from .errors import ContinuoError
from .files import read_session, write_session
from .jobs import AsyncJob, render_request, watch_async
from .lease import AsyncLease
from .metering import AsyncMetering
from .operations import Operations, Value
from .param_stream import AsyncParamStream
from .show import CueName
from .transaction import AsyncTransaction
from .when import Moment, needs_rate

__all__ = ["AsyncClient", "AsyncMedia", "AsyncMirror", "AsyncWatch"]


class AsyncClient(AsyncMetering):
    """See `Client`: arguments, errors and what each call does are the same. Make it inside of the running loop."""

    def __init__(self, server: str | None = None, *, name: str | None = None, timeout_s: float = 10.0,
                 retry_s: float = 2.0, token_file: str | os.PathLike[str] | None = None,
                 tls: str | os.PathLike[str] | None = None) -> None:
        super().__init__(server, name=name, timeout_s=timeout_s, retry_s=retry_s, token_file=token_file, tls=tls)
        #: The daemon's files: list, probe, put, get, delete.
        self.media = AsyncMedia(self)

    # -- the daemon ----------------------------------------------------------------------------------------------------
    async def info(self) -> v1.GetInfoResponse:
        """See Client.info."""
        return await self._call(v1.GetInfoResponse, self._system.GetInfo, v1.GetInfoRequest())

    async def status(self) -> v1.GetStatusResponse:
        """See Client.status."""
        return await self._call(v1.GetStatusResponse, self._system.GetStatus, v1.GetStatusRequest())

    async def clock(self) -> v1.Clock:
        """See Client.clock."""
        return await self._call(v1.Clock, self._system.GetClock, v1.GetClockRequest())

    async def devices(self) -> list[v1.ListDevicesResponse.Device]:
        """See Client.devices."""
        return list((await self._call(v1.ListDevicesResponse, self._devices.ListDevices, v1.ListDevicesRequest())).devices)

    async def use_device(self, name: str, *, host_api: str = "", sample_rate_hz: float = 0.0,
                         buffer_frames: int = 0) -> v1.UseDeviceResponse:
        """See Client.use_device."""
        request = v1.UseDeviceRequest(name=name, host_api=host_api, sample_rate_hz=sample_rate_hz,
                                      buffer_frames=buffer_frames, leases=self._tokens())
        return await self._call(v1.UseDeviceResponse, self._devices.UseDevice, request, retry=False)

    async def types(self) -> list[v1.NodeType]:
        """See Client.types."""
        return list((await self._types()).types)

    async def params(self, path: str) -> v1.ListParamsResponse:
        """See Client.params."""
        return await self._call(v1.ListParamsResponse, self._session.ListParams, v1.ListParamsRequest(path=path))

    async def events(self, since: str | None = None, until: str | None = None, *, kinds: Iterable[str] = (),
                     after_id: int = 0, page: int = 200) -> AsyncIterator[v1.Event]:
        """See Client.events."""
        while True:
            request = _calls.events_request(since, until, kinds, after_id, page, last=False)
            answer = await self._call(v1.ListEventsResponse, self._events.ListEvents, request)
            for event in answer.events:
                yield event
            if not answer.more or not answer.events:
                return
            after_id = answer.events[-1].id

    # -- edits ---------------------------------------------------------------------------------------------------------
    def transaction(self, *, at: Moment | None = None, wait: str | None = None, max_wait_s: float | None = None,
                    expected: Revision | None = None, request_id: str | None = None, dry_run: bool = False,
                    timeout_s: float | None = None) -> AsyncTransaction:
        """`async with client.transaction() as tx: tx.set(...)`; see Client.transaction."""
        return AsyncTransaction(self, _calls.Send(at, wait, max_wait_s, expected, request_id, dry_run, timeout_s))

    async def apply(self, operations: Operations | Iterable[v1.Operation], **how: Any) -> Answer:
        """See Client.apply."""
        ready = operations.operations if isinstance(operations, Operations) else operations
        return await self._send(ready, _calls.Send(**how))

    async def set(self, name: str, value: Value, *, ramp_ms: float | None = None, **how: Any) -> Answer:
        """See Client.set."""
        async with self.transaction(**how) as tx:
            tx.set(name, value, ramp_ms=ramp_ms)
        return tx.answer

    async def play(self, *players: str, **how: Any) -> Answer:
        """See Operations.play."""
        async with self.transaction(**how) as tx:
            tx.play(*players)
        return tx.answer

    async def stop(self, *players: str, **how: Any) -> Answer:
        """See Operations.stop."""
        async with self.transaction(**how) as tx:
            tx.stop(*players)
        return tx.answer

    async def locate(self, timeline_frame: int, **how: Any) -> Answer:
        """See Operations.locate."""
        async with self.transaction(**how) as tx:
            tx.locate(timeline_frame)
        return tx.answer

    async def go(self, cue: CueName | None = None, *, expected_cue: CueName | None = None, keep_next: bool = False,
                 **how: Any) -> Answer:
        """See Operations.go."""
        async with self.transaction(**how) as tx:
            tx.go(cue, expected=expected_cue, keep_next=keep_next)
        return tx.answer

    async def record_stop(self, *nodes: str, max_wait_s: float = 10.0, **how: Any) -> Answer:
        """See Client.record_stop."""
        async with self.transaction(max_wait_s=max_wait_s, **how) as tx:
            tx.record_stop(*nodes)
        return tx.answer

    async def takes(self) -> list[v1.GetStatusResponse.Take]:
        """Those that run, and the last 128."""
        return list((await self.status()).takes)

    async def wait_take(self, take_id: int, timeout_s: float) -> v1.GetStatusResponse.Take:
        """See Client.wait_take."""
        async def closed() -> v1.GetStatusResponse.Take:
            async with self.watch() as watch:
                async for event in watch:
                    known = _calls.takes_told(event)
                    for take in await self.takes() if known is None else known:
                        if take.id == take_id and not take.recording:
                            return take
            raise _calls.still_running(take_id, timeout_s)
        try:
            return await asyncio.wait_for(closed(), timeout_s)
        except asyncio.TimeoutError:
            raise _calls.still_running(take_id, timeout_s) from None

    async def scheduled(self) -> list[v1.ScheduledTransaction]:
        """See Client.scheduled."""
        found: list[v1.ScheduledTransaction] = []
        request = v1.ListScheduledRequest()
        while True:
            page = await self._call(v1.ListScheduledResponse, self._session.ListScheduled, request)
            found += page.transactions
            request.page_token = page.next_page_token
            if not request.page_token:
                return found

    async def cancel(self, transaction_id: int) -> None:
        """See Client.cancel."""
        await self._call(v1.CancelScheduledResponse, self._session.CancelScheduled,
                         v1.CancelScheduledRequest(transaction_id=transaction_id, client=self.name,
                                                    leases=self._tokens()), retry=False)

    async def undo(self, transaction_id: int | None = None, *, wait: str | None = None, max_wait_s: float | None = None,
                   dry_run: bool = False) -> Answer:
        """See Client.undo."""
        send = _calls.Send(wait=wait, max_wait_s=max_wait_s, dry_run=dry_run)
        request = _calls.take_back_request(v1.UndoRequest, transaction_id, send, self.name, self._tokens())
        return await self._answered(self._session.Undo, request, send)

    async def redo(self, transaction_id: int | None = None, *, wait: str | None = None, max_wait_s: float | None = None,
                   dry_run: bool = False) -> Answer:
        """See Client.redo."""
        send = _calls.Send(wait=wait, max_wait_s=max_wait_s, dry_run=dry_run)
        request = _calls.take_back_request(v1.RedoRequest, transaction_id, send, self.name, self._tokens())
        return await self._answered(self._session.Redo, request, send)

    def lease(self, path: str = "", *, seconds: float = 30.0, note: str = "") -> AsyncLease:
        """`async with client.lease("vox"): ...`; see Client.lease."""
        return AsyncLease(self, path, seconds, note)

    async def leases(self) -> list[v1.Lease]:
        """See Client.leases."""
        return list((await self._call(v1.ListLeasesResponse, self._leases.ListLeases, v1.ListLeasesRequest())).leases)

    async def break_lease(self, lease_id: int) -> None:
        """See Client.break_lease."""
        await self._call(v1.BreakLeaseResponse, self._leases.BreakLease,
                         v1.BreakLeaseRequest(lease_id=lease_id, client=self.name), retry=False)

    # -- long work -----------------------------------------------------------------------------------------------------
    async def jobs(self) -> list[AsyncJob]:
        """See Client.jobs."""
        found: list[AsyncJob] = []
        request = v1.ListJobsRequest(page_size=200)
        while True:
            page = await self._call(v1.ListJobsResponse, self._jobs.ListJobs, request)
            found += [AsyncJob(self, message) for message in page.jobs]
            request.page_token = page.next_page_token
            if not request.page_token:
                return found

    async def job(self, job_id: int) -> AsyncJob:
        """See Client.job."""
        return AsyncJob(self, await self._call(v1.Job, self._jobs.GetJob, v1.GetJobRequest(job_id=job_id)))

    def watch_jobs(self, job_id: int | None = None) -> AsyncIterator[AsyncJob]:
        """`async for job in client.watch_jobs()`; see Client.watch_jobs."""
        return watch_async(self, job_id)

    async def start_render(self, file: str, *, start_frame: int = 0, end_frame: int | None = None,
                           sample_format: str = "pcm24", overwrite: bool = False, loudness: bool = False,
                           loudness_stems: bool = False, loudness_of: Sequence[str] = (),
                           request_id: str | None = None) -> AsyncJob:
        """See Client.start_render."""
        request = render_request(file, start_frame, end_frame, sample_format, overwrite, loudness, loudness_stems, loudness_of,
                                 self.name, request_id or str(uuid.uuid4()))
        return AsyncJob(self, await self._call(v1.Job, self._jobs.StartRender, request))

    async def start_scan(self, path: str, *, request_id: str | None = None) -> AsyncJob:
        """See Client.start_scan."""
        request = v1.StartScanRequest(path=path, client=self.name, request_id=request_id or str(uuid.uuid4()))
        return AsyncJob(self, await self._call(v1.Job, self._jobs.StartScan, request))

    # -- the session ---------------------------------------------------------------------------------------------------
    async def session(self) -> SessionText:
        """See Client.session."""
        async def fetch(timeout_s: float) -> SessionText:
            call = self._session.GetSession(v1.GetSessionRequest(), timeout=timeout_s, metadata=self._metadata)
            chunks = [chunk async for chunk in call]
            return SessionText(b"".join(chunk.json for chunk in chunks), to_revision(chunks[0].revision))
        return await self._retrying(fetch, self.timeout_s)

    async def save(self, file: str | os.PathLike[str], *, overwrite: bool = False) -> SessionText:
        """See Client.save."""
        text = await self.session()
        await asyncio.to_thread(write_session, pathlib.Path(file), text.text, overwrite)
        return text

    async def load(self, session: str | os.PathLike[str] | dict[str, Any] | bytes, *, base: str | None = None,
                   dry_run: bool = False, keep_transport: bool = False) -> Loaded:
        """See Client.load."""
        text, folder = await asyncio.to_thread(read_session, session)
        if base is None and folder is not None:
            base = await self.media.name_of(folder)
        requests = _calls.load_requests(text, base, dry_run, keep_transport, self._tokens())

        async def send() -> Loaded:
            return to_loaded(await self._session.LoadSession(requests, timeout=self.timeout_s, metadata=self._metadata))
        return await self._once(send)

    def param_stream(self, names: Sequence[str], *, ramp_ms: float | None = None) -> AsyncParamStream:
        """`async with client.param_stream(["vox.gain_db"]) as stream: stream.set("vox.gain_db", -6); await stream.flush()`;
        see Client.param_stream."""
        return AsyncParamStream(self, names, ramp_ms)

    # -- streams -------------------------------------------------------------------------------------------------------
    def watch(self, from_revision: Revision | None = None, *, reconnect: bool = True) -> AsyncWatch:
        """`async for event in client.watch()`; see Client.watch."""
        def open_stream(request: v1.WatchRequest, patient: bool) -> Any:
            return self._session.Watch(request, metadata=self._metadata, wait_for_ready=patient)
        return AsyncWatch(open_stream, self.address, from_revision, reconnect)

    def mirror(self, *, timeout_s: float | None = None) -> AsyncMirror:
        """`async with client.mirror() as mirror`; see Client.mirror. A task of its own keeps it."""
        return AsyncMirror(self, self.timeout_s if timeout_s is None else timeout_s)

    async def _types(self) -> v1.ListTypesResponse:
        return await self._call(v1.ListTypesResponse, self._session.ListTypes, v1.ListTypesRequest())

    async def _defaults(self) -> Defaults:
        return read_defaults(await self._types())

    async def _send(self, operations: Iterable[v1.Operation], send: _calls.Send) -> Answer:
        rate = (await self.clock()).timeline_rate_hz if needs_rate(send.at) else 0.0
        request = _calls.apply_request(operations, send, self.name, rate, self._tokens())
        return await self._answered(self._session.Apply, request, send)

    async def _answered(self, call: Any, request: Any, send: _calls.Send) -> Answer:
        async def once(timeout_s: float) -> Answer:
            return to_answer(await call(request, timeout=timeout_s, metadata=self._metadata), request.request_id)
        try:
            return await self._retrying(once, send.call_timeout_s(self.timeout_s))
        except ContinuoError as error:
            error.request_id = request.request_id
            raise
