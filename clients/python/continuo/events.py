"""What a watch tells: events, and how the daemon's messages become them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from . import v1
from .answers import Revision, to_revision
from .errors import ContinuoError, FaultError


@dataclass(frozen=True)
class Snapshot:
    """The whole document. `resync`: in place of changes that the daemon no longer has (it restarted, loaded another
    session, or this client was away or slow for too long)."""

    document: dict[str, Any]
    revision: Revision
    resync: bool


@dataclass(frozen=True)
class Change:
    """A transaction that was accepted, with its operations as they were. The revision is the one after it; it is the one
    before as well where the document is the same (play, a cue that was fired)."""

    revision: Revision
    transaction_id: int
    operations: tuple[v1.Operation, ...]
    origin: v1.Origin


@dataclass(frozen=True)
class Applied:
    """A transaction became sound at this engine frame."""

    transaction_id: int
    engine_frame: int


@dataclass(frozen=True)
class Scheduled:
    """A transaction was accepted for later."""

    transaction: v1.ScheduledTransaction


@dataclass(frozen=True)
class Cancelled:
    """A scheduled transaction will never be applied, and why: "CANCELLED", "SESSION_LOADED" ..."""

    transaction_id: int
    reason: str
    message: str
    origin: v1.Origin


@dataclass(frozen=True)
class TakeChanged:
    """Something became of a take: "CLOSED", "FAILED", "LOST", "RECOVERED", "LOW_SPACE", "DESTINATION_LOST",
    "PRE_RECORD_FAILED"."""

    kind: str
    take: v1.GetStatusResponse.Take | None
    message: str


@dataclass(frozen=True)
class CueChanged:
    """A cue was fired ("FIRED"), or another one is next or armed ("NEXT"): see WatchResponse.CueEvent."""

    kind: str
    event: v1.WatchResponse.CueEvent


@dataclass(frozen=True)
class MediaChanged:
    """A file that a player plays went away ("LOST"), or is there again ("RETURNED")."""

    kind: str
    player: str
    files: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class Heartbeat:
    """Nothing happened for 5 s."""

    revision: Revision


@dataclass(frozen=True)
class Disconnected:
    """The way to the daemon broke. The watch finds it again by itself: all that was told meanwhile follows, or where the
    daemon no longer has that, a Snapshot."""

    error: ContinuoError


@dataclass(frozen=True)
class Unknown:
    """A message of a newer daemon."""

    message: v1.WatchResponse


Event = (Snapshot | Change | Applied | Scheduled | Cancelled | TakeChanged | CueChanged | MediaChanged | Heartbeat |
         Disconnected | Unknown)


@dataclass
class EventReader:
    """Messages of one watch over all of its streams -> events. Keeps from where a next stream has to go on."""

    revision: Revision | None = None
    sequence: int | None = None  # of the last message; None before the first, and of a daemon that counts none
    pieces: list[bytes] = field(default_factory=list)

    def request(self) -> v1.WatchRequest:
        """For the next stream. What came of a snapshot that broke off is forgotten."""
        self.pieces.clear()
        if self.revision is None:
            return v1.WatchRequest()
        return v1.WatchRequest(from_revision=self.revision.to_proto(), from_sequence=self.sequence)

    def forget(self) -> None:
        """The next stream begins with the whole."""
        self.revision = self.sequence = None

    def read(self, message: v1.WatchResponse) -> Event | None:
        """None for a piece of a snapshot. FaultError for a snapshot that is none, and for a gap."""
        kind = message.WhichOneof("kind")
        if kind == "snapshot_begin":
            self.pieces.clear()
            return None
        if kind == "snapshot":
            self.pieces.append(message.snapshot)
            return None
        self._count(message.sequence, kind in ("snapshot_end", "heartbeat"), kind == "snapshot_end")
        if kind == "snapshot_end":
            return self._snapshot(message.snapshot_end)
        if kind == "change":
            self.revision = to_revision(message.change.revision)
            return Change(self.revision, message.change.transaction_id, tuple(message.change.operations),
                          message.change.origin)
        if kind == "heartbeat":
            return Heartbeat(to_revision(message.heartbeat.revision))
        return _other(kind, message)

    def _count(self, sequence: int, tells_last: bool, anew: bool) -> None:
        expected = None if self.sequence is None or anew else self.sequence + (0 if tells_last else 1)
        if sequence and expected is not None and sequence != expected:
            raise FaultError(f"the daemon told message {sequence} where {expected} was to come", "GAP")
        self.sequence = sequence or None

    def _snapshot(self, end: v1.WatchResponse.SnapshotEnd) -> Snapshot:
        text = b"".join(self.pieces)
        self.pieces.clear()
        try:
            document = json.loads(text)
        except ValueError as error:
            raise FaultError(f"the daemon's snapshot is no JSON: {error}", "BAD_SNAPSHOT") from error
        self.revision = to_revision(end.revision)
        return Snapshot(document, self.revision, end.resync)


def _other(kind: str | None, message: v1.WatchResponse) -> Event:
    if kind == "applied":
        return Applied(message.applied.transaction_id, message.applied.engine_frame)
    if kind == "scheduled":
        return Scheduled(message.scheduled)
    if kind == "cancelled":
        told = message.cancelled
        return Cancelled(told.transaction_id, told.reason, told.message, told.origin)
    if kind == "take":
        take = message.take.take if message.take.HasField("take") else None
        return TakeChanged(_name(v1.WatchResponse.TakeEvent.Kind, message.take.kind), take, message.take.message)
    if kind == "cue":
        return CueChanged(_name(v1.WatchResponse.CueEvent.Kind, message.cue.kind), message.cue)
    if kind == "media":
        media = message.media
        return MediaChanged(_name(v1.WatchResponse.MediaEvent.Kind, media.kind), media.player, tuple(media.files),
                            media.message)
    return Unknown(message)


def _name(enum: Any, number: int) -> str:
    """Without its prefix; a newer daemon's number as it is."""
    try:
        return str(enum.Name(number)).removeprefix("KIND_")
    except ValueError:
        return str(number)
