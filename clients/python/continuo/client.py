"""The client: every call blocks the thread that makes it. Its twin for asyncio is continuo.aio."""

from __future__ import annotations

import os
import pathlib
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from . import _calls, v1
from .answers import Answer, Loaded, Revision, SessionText, to_answer, to_loaded, to_revision
from .document import Defaults, read_defaults
from .errors import ContinuoError
from .files import read_session, write_session
from .jobs import Job, JobWatch, render_request
from .lease import Lease
from .media import Media
from .metering import Metering
from .mirror import SessionMirror
from .operations import Operations, Value
from .param_stream import ParamStream
from .show import CueName
from .transaction import Transaction
from .watch import Watch
from .when import Moment, needs_rate


class Client(Metering):
    """A connection to a daemon, opened at the first call. Safe for several threads at once.

    server: "unix:/path" or "host:port"; None: $CONTINUO_SERVER, else the socket of the user's daemon or of the system's.
    token_file: its first line goes with every call; None: $CONTINUO_TOKEN_FILE. tls: the folder of ca.crt, client.crt and
    client.key that `continuo-certs` makes; None: $CONTINUO_TLS, off the loopback else the user's own.
    name: what the client calls itself, for the watch and the journal; up to 200 characters.
    timeout_s: how long one call may last. retry_s: for so long a call that may be repeated is tried again while no
    daemon answers (a restart); 0: never.
    NoServerError where no daemon is found, UsageError for what is no address. All calls raise ContinuoError alone."""

    def __init__(self, server: str | None = None, *, name: str | None = None, timeout_s: float = 10.0,
                 retry_s: float = 2.0, token_file: str | os.PathLike[str] | None = None,
                 tls: str | os.PathLike[str] | None = None) -> None:
        super().__init__(server, name=name, timeout_s=timeout_s, retry_s=retry_s, token_file=token_file, tls=tls)
        #: The daemon's files: list, probe, put, get, delete.
        self.media = Media(self)

    # -- the daemon ----------------------------------------------------------------------------------------------------
    def info(self) -> v1.GetInfoResponse:
        """Version, limits, media roots."""
        return self._call(v1.GetInfoResponse, self._system.GetInfo, v1.GetInfoRequest())

    def status(self) -> v1.GetStatusResponse:
        """How it is: state and reasons, device, clock, counters, takes, players, cues."""
        return self._call(v1.GetStatusResponse, self._system.GetStatus, v1.GetStatusRequest())

    def clock(self) -> v1.Clock:
        """All clocks, read at one instant."""
        return self._call(v1.Clock, self._system.GetClock, v1.GetClockRequest())

    def devices(self) -> list[v1.ListDevicesResponse.Device]:
        """Sound devices of the daemon's machine."""
        return list(self._call(v1.ListDevicesResponse, self._devices.ListDevices, v1.ListDevicesRequest()).devices)

    def use_device(self, name: str, *, host_api: str = "", sample_rate_hz: float = 0.0,
                   buffer_frames: int = 0) -> v1.UseDeviceResponse:
        """Moves to another device, live. `name`: exact, or a part that one device alone has; "clock": no hardware. 0: the
        device's own. NotFoundError names what there is."""
        return self._call(v1.UseDeviceResponse, self._devices.UseDevice, v1.UseDeviceRequest(
            name=name, host_api=host_api, sample_rate_hz=sample_rate_hz, buffer_frames=buffer_frames,
            leases=self._tokens()), retry=False)

    def _defaults(self) -> Defaults:
        return read_defaults(self._call(v1.ListTypesResponse, self._session.ListTypes, v1.ListTypesRequest()))

    def types(self) -> list[v1.NodeType]:
        """Every node type with its parameters: range, default, unit."""
        return list(self._call(v1.ListTypesResponse, self._session.ListTypes, v1.ListTypesRequest()).types)

    def params(self, path: str) -> v1.ListParamsResponse:
        """A node's parameters with their values of now, and a player's queue with the items' uids."""
        return self._call(v1.ListParamsResponse, self._session.ListParams, v1.ListParamsRequest(path=path))

    def events(self, since: str | None = None, until: str | None = None, *, kinds: Iterable[str] = (),
               after_id: int = 0, page: int = 200) -> Iterator[v1.Event]:
        """The journal, oldest first, a page at a time. `since`, `until`: UTC, RFC 3339. `kinds`: "edit", "refusal" ..."""
        while True:
            request = _calls.events_request(since, until, kinds, after_id, page, last=False)
            answer = self._call(v1.ListEventsResponse, self._events.ListEvents, request)
            yield from answer.events
            if not answer.more or not answer.events:
                return
            after_id = answer.events[-1].id

    # -- edits ---------------------------------------------------------------------------------------------------------
    def transaction(self, *, at: Moment | None = None, wait: str | None = None, max_wait_s: float | None = None,
                    expected: Revision | None = None, request_id: str | None = None, dry_run: bool = False,
                    timeout_s: float | None = None) -> Transaction:
        """`with client.transaction() as tx: tx.set(...); tx.play()`: sent whole at the end of the block, unless it raises.

        at: when, see `continuo.when`; None: now. wait: "applied" (in the sound, the daemon's default) or "committed" (in
        the document), for at most max_wait_s (2 s); `tx.answer` says what is true then. expected: TryAgainError unless
        the document is at this revision. dry_run: checked only; `tx.answer.problems` says why not.
        request_id: up to 64 characters; None: a new one. While no daemon answers it is sent again with this id, which the
        daemon applies once; so may you, for 10 minutes."""
        return Transaction(self, _calls.Send(at, wait, max_wait_s, expected, request_id, dry_run, timeout_s))

    def apply(self, operations: Operations | Iterable[v1.Operation], **how: Any) -> Answer:
        """The same for a list that is ready; `how` as `transaction` has it."""
        return self._send(operations.operations if isinstance(operations, Operations) else operations, _calls.Send(**how))

    def set(self, name: str, value: Value, *, ramp_ms: float | None = None, **how: Any) -> Answer:
        """One parameter: `client.set("vox.gain_db", -6, ramp_ms=500)`. This and those below are transactions of their own;
        `how` as `transaction` has it."""
        with self.transaction(**how) as tx:
            tx.set(name, value, ramp_ms=ramp_ms)
        return tx.answer

    def play(self, *players: str, **how: Any) -> Answer:
        """See Operations.play."""
        with self.transaction(**how) as tx:
            tx.play(*players)
        return tx.answer

    def stop(self, *players: str, **how: Any) -> Answer:
        """See Operations.stop."""
        with self.transaction(**how) as tx:
            tx.stop(*players)
        return tx.answer

    def locate(self, timeline_frame: int, **how: Any) -> Answer:
        """See Operations.locate."""
        with self.transaction(**how) as tx:
            tx.locate(timeline_frame)
        return tx.answer

    def go(self, cue: CueName | None = None, *, expected_cue: CueName | None = None, keep_next: bool = False,
           **how: Any) -> Answer:
        """See Operations.go."""
        with self.transaction(**how) as tx:
            tx.go(cue, expected=expected_cue, keep_next=keep_next)
        return tx.answer

    def record_stop(self, *nodes: str, max_wait_s: float = 10.0, **how: Any) -> Answer:
        """See Operations.record_stop; returns when the files are closed, or after max_wait_s."""
        with self.transaction(max_wait_s=max_wait_s, **how) as tx:
            tx.record_stop(*nodes)
        return tx.answer

    def takes(self) -> list[v1.GetStatusResponse.Take]:
        """Those that run, and the last 128."""
        return list(self.status().takes)

    def wait_take(self, take_id: int, timeout_s: float) -> v1.GetStatusResponse.Take:
        """Returns when the take is closed; see its `error`. TryAgainError (DEADLINE_EXCEEDED) after timeout_s."""
        with self.watch() as watch:
            timer = threading.Timer(timeout_s, watch.close)
            timer.daemon = True
            timer.start()
            try:
                for event in watch:
                    known = _calls.takes_told(event)
                    for take in self.takes() if known is None else known:
                        if take.id == take_id and not take.recording:
                            return take
            finally:
                timer.cancel()
        raise _calls.still_running(take_id, timeout_s)

    def scheduled(self) -> list[v1.ScheduledTransaction]:
        """What was accepted for later and has not fallen due."""
        found: list[v1.ScheduledTransaction] = []
        request = v1.ListScheduledRequest()
        while True:
            page = self._call(v1.ListScheduledResponse, self._session.ListScheduled, request)
            found += page.transactions
            request.page_token = page.next_page_token
            if not request.page_token:
                return found

    def cancel(self, transaction_id: int) -> None:
        """Takes a scheduled transaction back. NotFoundError where none such is scheduled (any more)."""
        self._call(v1.CancelScheduledResponse, self._session.CancelScheduled,
                   v1.CancelScheduledRequest(transaction_id=transaction_id, client=self.name,
                                              leases=self._tokens()), retry=False)

    def undo(self, transaction_id: int | None = None, *, wait: str | None = None, max_wait_s: float | None = None,
             dry_run: bool = False) -> Answer:
        """Takes a transaction back; None: the last one of this caller that changed the document. TryAgainError
        (CHANGED_SINCE) where somebody changed the same since; NotFoundError where there is nothing to undo."""
        send = _calls.Send(wait=wait, max_wait_s=max_wait_s, dry_run=dry_run)
        request = _calls.take_back_request(v1.UndoRequest, transaction_id, send, self.name, self._tokens())
        return self._answered(self._session.Undo, request, send)

    def redo(self, transaction_id: int | None = None, *, wait: str | None = None, max_wait_s: float | None = None,
             dry_run: bool = False) -> Answer:
        """Takes an undo back; None: the caller's last one, unless it changed the document since."""
        send = _calls.Send(wait=wait, max_wait_s=max_wait_s, dry_run=dry_run)
        request = _calls.take_back_request(v1.RedoRequest, transaction_id, send, self.name, self._tokens())
        return self._answered(self._session.Redo, request, send)

    def lease(self, path: str = "", *, seconds: float = 30.0, note: str = "") -> Lease:
        """`with client.lease("vox"): ...`: in the block nobody but this client changes the node and what is below it; "" is
        the whole session. It is renewed until the end of the block; should this program die, it ends after `seconds`
        (1 to 86400). BadDataError (LEASED) where somebody has that already. See `Lease.held`."""
        return Lease(self, path, seconds, note)

    def leases(self) -> list[v1.Lease]:
        """All that are held, by whomever."""
        return list(self._call(v1.ListLeasesResponse, self._leases.ListLeases, v1.ListLeasesRequest()).leases)

    def break_lease(self, lease_id: int) -> None:
        """Ends somebody else's; for admins. NotFoundError where it has ended."""
        self._call(v1.BreakLeaseResponse, self._leases.BreakLease,
                   v1.BreakLeaseRequest(lease_id=lease_id, client=self.name), retry=False)

    # -- long work -----------------------------------------------------------------------------------------------------
    def jobs(self) -> list[Job]:
        """Those that run, and what became of the others for 24 hours, the newest first."""
        found: list[Job] = []
        request = v1.ListJobsRequest(page_size=200)
        while True:
            page = self._call(v1.ListJobsResponse, self._jobs.ListJobs, request)
            found += [Job(self, message) for message in page.jobs]
            request.page_token = page.next_page_token
            if not request.page_token:
                return found

    def job(self, job_id: int) -> Job:
        """One of them. NotFoundError (UNKNOWN_JOB)."""
        return Job(self, self._call(v1.Job, self._jobs.GetJob, v1.GetJobRequest(job_id=job_id)))

    def watch_jobs(self, job_id: int | None = None) -> JobWatch:
        """`with client.watch_jobs() as watch: for job in watch: ...`: each as it is, then each time that it changed, at most
        10 times a second. Of one: ends behind its end; of all: goes on."""
        return JobWatch(self, self._jobs.WatchJobs(v1.WatchJobsRequest(job_id=job_id), metadata=self._metadata))

    def start_render(self, file: str, *, start_frame: int = 0, end_frame: int | None = None, sample_format: str = "pcm24",
                     overwrite: bool = False, loudness: bool = False, loudness_stems: bool = False,
                     loudness_of: Sequence[str] = (), request_id: str | None = None) -> Job:
        """Renders the session as it is now, in the daemon, into "root:relative" (.wav, .flac); `.wait()` on it waits.
        Frames are the timeline's; None: where the last player ends, and its tail. sample_format: "pcm16", "pcm24",
        "float32". ExistsError (FILE_EXISTS) unless `overwrite`; the file is there whole once the job is done.
        loudness: `result.loudness` is the output's; loudness_stems, loudness_of (paths): `result.stems`, too."""
        request = render_request(file, start_frame, end_frame, sample_format, overwrite, loudness, loudness_stems, loudness_of,
                                 self.name, request_id or str(uuid.uuid4()))
        return Job(self, self._call(v1.Job, self._jobs.StartRender, request))

    def start_scan(self, path: str, *, request_id: str | None = None) -> Job:
        """Reads every sound file below "root:" or "root:folder" to its end; `job.wait().result` names the broken ones."""
        request = v1.StartScanRequest(path=path, client=self.name, request_id=request_id or str(uuid.uuid4()))
        return Job(self, self._call(v1.Job, self._jobs.StartScan, request))

    # -- the session ---------------------------------------------------------------------------------------------------
    def session(self) -> SessionText:
        """The document, as its file would be."""
        def fetch(timeout_s: float) -> SessionText:
            chunks = list(self._session.GetSession(v1.GetSessionRequest(), timeout=timeout_s, metadata=self._metadata))
            return SessionText(b"".join(chunk.json for chunk in chunks), to_revision(chunks[0].revision))
        return self._retrying(fetch, self.timeout_s)

    def save(self, file: str | os.PathLike[str], *, overwrite: bool = False) -> SessionText:
        """Writes the session to a file of this machine, whole or not at all. ExistsError where it is there already."""
        text = self.session()
        write_session(pathlib.Path(file), text.text, overwrite)
        return text

    def load(self, session: str | os.PathLike[str] | dict[str, Any] | bytes, *, base: str | None = None,
             dry_run: bool = False, keep_transport: bool = False) -> Loaded:
        """Replaces the document, all or nothing. `session`: a file of this machine, the document, or the file's content.
        `base`: where relative media paths start, "root:folder"; None: the file's own folder, where a media root holds it."""
        text, folder = read_session(session)
        if base is None and folder is not None:
            base = self.media.name_of(folder)
        def send() -> Loaded:
            requests = _calls.load_requests(text, base, dry_run, keep_transport, self._tokens())
            return to_loaded(self._session.LoadSession(requests, timeout=self.timeout_s, metadata=self._metadata))
        return self._once(send)

    def param_stream(self, names: Sequence[str], *, ramp_ms: float | None = None) -> ParamStream:
        """`with client.param_stream(["vox.gain_db", "band.gain_db"]) as stream: stream.set("vox.gain_db", -6); stream.flush()`:
        for faders and whatever else moves many values a second. What comes faster than it can be applied is passed over; the
        newest value is always heard, and all are in the sound when the block ends. `stream.report`: what was refused, and why.
        ramp_ms: of every change; None: each parameter's own smoothing. NotFoundError for a name that is none, BadDataError
        (STRUCTURAL) for one that only a transaction sets. The stream raises TryAgainError (EPOCH_CHANGED) where another
        session is loaded."""
        return ParamStream(self, names, ramp_ms)

    # -- streams -------------------------------------------------------------------------------------------------------
    def watch(self, from_revision: Revision | None = None, *, reconnect: bool = True) -> Watch:
        """Events from now on: a Snapshot, or the changes since `from_revision`; then every change in order. With
        `reconnect` it goes on over broken connections and restarts of the daemon, without a gap in the document."""
        def open_stream(request: v1.WatchRequest, patient: bool) -> Any:
            return self._session.Watch(request, metadata=self._metadata, wait_for_ready=patient)
        return Watch(open_stream, self.address, from_revision, reconnect)

    def mirror(self, *, timeout_s: float | None = None) -> SessionMirror:
        """A copy of the document that is always up to date, kept by a thread of its own. `with client.mirror() as mirror:`
        waits for it to be whole, at most timeout_s (the client's)."""
        return SessionMirror(self, self.timeout_s if timeout_s is None else timeout_s)

    def _send(self, operations: Iterable[v1.Operation], send: _calls.Send) -> Answer:
        rate = self.clock().timeline_rate_hz if needs_rate(send.at) else 0.0
        return self._answered(self._session.Apply, _calls.apply_request(operations, send, self.name, rate, self._tokens()), send)

    def _answered(self, call: Any, request: Any, send: _calls.Send) -> Answer:
        def once(timeout_s: float) -> Answer:
            return to_answer(call(request, timeout=timeout_s, metadata=self._metadata), request.request_id)
        try:
            return self._retrying(once, send.call_timeout_s(self.timeout_s))
        except ContinuoError as error:
            error.request_id = request.request_id
            raise
