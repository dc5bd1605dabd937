"""What the daemon answers, as plain values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from . import v1


@dataclass(frozen=True, order=True)
class Revision:
    """A state of the document. `epoch` is new at each start of the daemon and each load of a session; `number` rises by
    one with each transaction that changed the document."""

    epoch: int
    number: int

    def to_proto(self) -> v1.Revision:
        return v1.Revision(epoch=self.epoch, number=self.number)


def to_revision(message: v1.Revision) -> Revision:
    return Revision(message.epoch, message.number)


@dataclass(frozen=True)
class Problem:
    """Why a dry run would be refused: see ContinuoError."""

    field: str
    reason: str
    message: str


@dataclass(frozen=True)
class Answer:
    """What became of a transaction.

    outcome: "APPLIED" (it sounds, from `engine_frame` on), "COMMITTED" (in the document; not, or not yet, in the sound),
    "SCHEDULED" (`Client.cancel` takes its `transaction_id`), of a dry run "VALID" or "INVALID" (see `problems`).
    takes, take_ids: the files ("root:relative") and ids of takes that it started or stopped.
    closed_takes: those that a record_stop ended and that are on the disk, with `error` where one ended too early.
    warnings: what was accepted and will not be heard as one may think."""

    outcome: str
    revision: Revision
    transaction_id: int
    engine_frame: int | None
    takes: tuple[str, ...]
    take_ids: tuple[int, ...]
    warnings: tuple[str, ...]
    problems: tuple[Problem, ...]
    closed_takes: tuple[v1.GetStatusResponse.Take, ...]
    request_id: str

    @property
    def applied(self) -> bool:
        """It became sound."""
        return self.outcome == "APPLIED"

    @property
    def valid(self) -> bool:
        """False only of a dry run that would be refused."""
        return self.outcome != "INVALID"


def to_answer(response: v1.ApplyResponse, request_id: str) -> Answer:
    return Answer(
        outcome=v1.ApplyResponse.Outcome.Name(response.outcome).removeprefix("OUTCOME_"),
        revision=to_revision(response.revision), transaction_id=response.transaction_id,
        engine_frame=response.engine_frame if response.HasField("engine_frame") else None,
        takes=tuple(response.takes), take_ids=tuple(response.take_ids), warnings=tuple(response.warnings),
        problems=tuple(Problem(p.field, p.reason, p.message) for p in response.problems),
        closed_takes=tuple(response.closed_takes), request_id=request_id)


@dataclass(frozen=True)
class Loaded:
    """A session that was loaded. `engine_frame`: when it became sound; None of a dry run, or while the device stood.
    `warnings`: what will be silent. `ended_takes`, `dropped_scheduled`: what the session before lost by it."""

    revision: Revision
    engine_frame: int | None
    warnings: tuple[str, ...]
    ended_takes: tuple[str, ...]
    dropped_scheduled: int


def to_loaded(response: v1.LoadSessionResponse) -> Loaded:
    return Loaded(to_revision(response.revision),
                  response.engine_frame if response.HasField("engine_frame") else None,
                  tuple(response.warnings), tuple(response.ended_takes), response.dropped_scheduled)


@dataclass(frozen=True)
class SessionText:
    """A session as its file has it, byte for byte, and its revision."""

    text: bytes
    revision: Revision

    @property
    def document(self) -> dict[str, Any]:
        """The JSON, parsed anew at each call."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed
