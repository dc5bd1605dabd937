"""Long work of the daemon's: renders, scans, and what else takes its time; see `Client.jobs`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from . import v1
from .errors import BadDataError, ContinuoError, FaultError, NoServerError, StorageError, TryAgainError, from_rpc

if TYPE_CHECKING:
    from .aio import AsyncClient
    from .client import Client

J = TypeVar("J", bound="_Job")

#: What a job came to: by its kind.
Result = v1.RenderResult | v1.ScanResult | v1.Calibration | v1.Revision | int

_CLASSES: dict[str, type[ContinuoError]] = {
    "DISK_FULL": StorageError, "WRITE_FAILED": StorageError, "READ_FAILED": StorageError, "FILE_GONE": StorageError,
    "DAEMON_ENDED": NoServerError, "RENDER_DIED": FaultError, "RENDER_FAILED": FaultError, "RENDER_NOT_STARTED": FaultError,
}


class _Job:
    """A job as the daemon last told it. `message` has all of it."""

    def __init__(self, message: v1.Job) -> None:
        self.message = message

    @property
    def id(self) -> int:
        """Never used again."""
        return int(self.message.job_id)

    @property
    def kind(self) -> str:
        """"render", "scan", "load", "calibrate", "upload"."""
        return str(v1.Job.Kind.Name(self.message.kind)).removeprefix("KIND_").lower()

    @property
    def state(self) -> str:
        """"waiting", "running", "done", "failed", "cancelled"."""
        return str(v1.Job.State.Name(self.message.state)).removeprefix("STATE_").lower()

    @property
    def ended(self) -> bool:
        """Nothing more becomes of it."""
        return self.state not in ("waiting", "running")

    @property
    def progress(self) -> float | None:
        """0 to 1; None where nobody knows."""
        return self.message.progress if self.message.HasField("progress") else None

    @property
    def subject(self) -> str:
        """What it works on."""
        return str(self.message.subject)

    @property
    def result(self) -> Result | None:
        """What it came to: of an upload the file's bytes; None where it is not done."""
        which = self.message.WhichOneof("result")
        found: Result | None = getattr(self.message, which) if which else None
        return found

    def check(self: J) -> J:
        """Itself. Raises what became of it where it failed (its reason) or was cancelled (TryAgainError, CANCELLED)."""
        message = self.message
        if self.state == "cancelled":
            raise TryAgainError(message.message or f"job {self.id} was cancelled", "CANCELLED", "job_id")
        if self.state == "failed":
            raise _CLASSES.get(message.reason, BadDataError)(message.message, message.reason, "job_id")
        return self

    def __repr__(self) -> str:
        part = "" if self.progress is None else f" {self.progress:.0%}"
        return f"<Job {self.id}: {self.kind} of {self.subject}, {self.state}{part}>"


def _too_long(job: _Job, timeout_s: float) -> TryAgainError:
    return TryAgainError(f"job {job.id} has not ended after {timeout_s:g} s", "DEADLINE_EXCEEDED", "job_id")


def render_request(file: str, start_frame: int, end_frame: int | None, sample_format: str, overwrite: bool, loudness: bool,
                   loudness_stems: bool, loudness_of: Sequence[str], client: str, request_id: str) -> v1.StartRenderRequest:
    return v1.StartRenderRequest(file=file, start_frame=start_frame, end_frame=end_frame, sample_format=sample_format,
                                 overwrite=overwrite, loudness=loudness, loudness_stems=loudness_stems,
                                 loudness_of=loudness_of, client=client, request_id=request_id)


class Job(_Job):
    """See `_Job`; and its calls."""

    def __init__(self, client: Client, message: v1.Job) -> None:
        super().__init__(message)
        self._client = client

    def refresh(self) -> Job:
        """As it is now. NotFoundError (UNKNOWN_JOB) a day after its end."""
        self.message = self._client.job(self.id).message
        return self

    def cancel(self) -> Job:
        """Asks it to end. BadDataError (JOB_ENDED) where it has."""
        self.message = self._client._call(v1.Job, self._client._jobs.CancelJob,
                                          v1.CancelJobRequest(job_id=self.id, client=self._client.name), retry=False)
        return self

    def wait(self, timeout_s: float | None = None, *, progress: Callable[[Job], object] | None = None) -> Job:
        """Until it has ended; raises as `check` does. `progress` is called each time that it changed, at most 10 times a
        second. TryAgainError (DEADLINE_EXCEEDED) after timeout_s: the job goes on."""
        with self._client.watch_jobs(self.id) as watch:
            over = threading.Event()

            def give_up() -> None:
                over.set()
                watch.close()
            timer = threading.Timer(timeout_s, give_up) if timeout_s is not None else None
            if timer is not None:
                timer.daemon = True
                timer.start()
            try:
                for job in watch:
                    self.message = job.message
                    if progress is not None:
                        progress(self)
            finally:
                if timer is not None:
                    timer.cancel()
        if not self.ended and over.is_set():
            raise _too_long(self, timeout_s or 0.0)
        return self.check()


class JobWatch:
    """`for job in watch`: see `Client.watch_jobs`. close() ends it, from any thread."""

    def __init__(self, client: Client, call: Any) -> None:
        self._client = client
        self._call = call
        self._closed = False

    def __enter__(self) -> JobWatch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Job]:
        try:
            for message in self._call:
                yield Job(self._client, message)
        except grpc.RpcError as error:
            if not self._closed:
                raise from_rpc(error, self._client.address) from error

    def close(self) -> None:
        self._closed = True
        self._call.cancel()


class AsyncJob(_Job):
    """See `Job`: the same, awaited."""

    def __init__(self, client: AsyncClient, message: v1.Job) -> None:
        super().__init__(message)
        self._client = client

    async def refresh(self) -> AsyncJob:
        """See Job.refresh."""
        self.message = (await self._client.job(self.id)).message
        return self

    async def cancel(self) -> AsyncJob:
        """See Job.cancel."""
        self.message = await self._client._call(v1.Job, self._client._jobs.CancelJob,
                                                v1.CancelJobRequest(job_id=self.id, client=self._client.name), retry=False)
        return self

    async def wait(self, timeout_s: float | None = None, *,
                   progress: Callable[[AsyncJob], object] | None = None) -> AsyncJob:
        """See Job.wait."""
        async def ended() -> None:
            async for job in self._client.watch_jobs(self.id):
                self.message = job.message
                if progress is not None:
                    progress(self)
        try:
            await asyncio.wait_for(ended(), timeout_s)
        except asyncio.TimeoutError:
            raise _too_long(self, timeout_s or 0.0) from None
        return self.check()


async def watch_async(client: AsyncClient, job_id: int | None) -> AsyncIterator[AsyncJob]:
    call = client._jobs.WatchJobs(v1.WatchJobsRequest(job_id=job_id), metadata=client._metadata)
    try:
        async for message in call:
            yield AsyncJob(client, message)
    except grpc.RpcError as error:
        raise from_rpc(error, client.address) from error
    finally:
        call.cancel()
