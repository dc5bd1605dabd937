"""Continuo's client for Python.

    import continuo
    with continuo.Client() as client:
        with client.transaction() as tx:
            tx.set("vox.gain_db", -6, ramp_ms=500)
            tx.play()
        print(tx.answer.outcome, tx.answer.engine_frame)

`Client` blocks; `AsyncClient` is the same for asyncio. `continuo.v1` has the API's own messages. Channels count from 1,
levels are in dB (-150 is silence), names carry their units (`gain_db`, `ramp_ms`, `timeout_s`)."""

from . import v1
from .aio import AsyncClient, AsyncMedia, AsyncMirror, AsyncWatch
from .answers import Answer, Loaded, Problem, Revision, SessionText
from .client import Client
from .document import find_node, walk
from .errors import (BadDataError, ContinuoError, ExistsError, FaultError, NoServerError, NotFoundError, RefusedError,
                     StorageError, TryAgainError, UsageError)
from .events import (Applied, Cancelled, Change, CueChanged, Disconnected, Event, Heartbeat, MediaChanged, Scheduled,
                     Snapshot, TakeChanged, Unknown)
from .jobs import AsyncJob, Job, JobWatch
from .lease import AsyncLease, Lease
from .measurements import Measurement, Why, WhyStep
from .media import Media
from .meters import Levels, Meters, Spectrum, kind_names
from .mirror import SessionMirror
from .operations import Operations
from .param_stream import AsyncParamStream, ParamStream
from .show import number
from .transaction import AsyncTransaction, Transaction
from .watch import Watch
from .when import after, engine_frame, timeline, utc

__version__ = "0.1.0"

__all__ = [
    "Answer", "Applied", "AsyncClient", "AsyncJob", "AsyncLease", "AsyncMedia", "AsyncMirror", "AsyncParamStream",
    "AsyncTransaction", "AsyncWatch", "BadDataError", "Cancelled", "Change", "Client", "ContinuoError", "CueChanged",
    "Disconnected", "Event", "ExistsError", "FaultError", "Heartbeat", "Job", "JobWatch", "Lease", "Levels", "Loaded",
    "Measurement", "Media", "MediaChanged", "Meters", "NoServerError", "NotFoundError", "Operations", "ParamStream",
    "Problem", "RefusedError", "Revision", "Scheduled", "SessionMirror", "SessionText", "Snapshot", "Spectrum",
    "StorageError", "TakeChanged", "Transaction", "TryAgainError", "Unknown", "UsageError", "Watch", "Why", "WhyStep",
    "after", "engine_frame", "find_node", "kind_names", "number", "timeline", "utc", "v1", "walk",
]
