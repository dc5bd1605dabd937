"""What can go wrong, as exceptions: one class for each exit code of the `continuo` program."""

from __future__ import annotations

from collections.abc import Iterator

import grpc

_DETAILS = "grpc-status-details-bin"


class ContinuoError(Exception):
    """Base of all errors of this package. `str(error)` is "message (REASON, field f)".

    exit_code: what `continuo` would end with, in the sense of sysexits(3).
    reason: stable, UPPER_SNAKE ("UNKNOWN_NODE"); may be empty.
    field: what it is about ("operations[3].set_params.values.gain_db"); may be empty.
    message: for a person; names the thing and the remedy.
    status: gRPC's name of it ("NOT_FOUND"); empty where no daemon said it.
    request_id: of the transaction that it befell; empty elsewhere."""

    exit_code = 70

    def __init__(self, message: str, reason: str = "", field: str = "", status: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.field = field
        self.status = status
        self.request_id = ""

    def __str__(self) -> str:
        about = ", ".join(part for part in (self.reason, f"field {self.field}" if self.field else "") if part)
        return f"{self.message} ({about})" if about else self.message


class UsageError(ContinuoError, ValueError):
    """64: an argument that cannot be meant: an address, a time, a path. No daemon was asked."""

    exit_code = 64


class BadDataError(ContinuoError):
    """65: INVALID_ARGUMENT, FAILED_PRECONDITION: a value, a file's content, or the wrong moment for it."""

    exit_code = 65


class NotFoundError(ContinuoError):
    """66: no such node, file, cue or device."""

    exit_code = 66


class NoServerError(ContinuoError):
    """69: no daemon answers (status UNAVAILABLE), or it does not know this call (UNIMPLEMENTED)."""

    exit_code = 69


class FaultError(ContinuoError):
    """70: a fault of the daemon's or of this package."""

    exit_code = 70


class ExistsError(ContinuoError):
    """73: ALREADY_EXISTS: an id, a cue, a file; or an output that cannot be made."""

    exit_code = 73


class StorageError(ContinuoError):
    """74: an I/O error or a full disk."""

    exit_code = 74


class TryAgainError(ContinuoError):
    """75: somebody else's edit came between (ABORTED), a limit (RESOURCE_EXHAUSTED), a deadline (DEADLINE_EXCEEDED).

    After DEADLINE_EXCEEDED a transaction may have been applied: the same again with its `request_id`, within
    10 minutes, tells its outcome and applies nothing twice."""

    exit_code = 75


class RefusedError(ContinuoError):
    """77: UNAUTHENTICATED, PERMISSION_DENIED."""

    exit_code = 77


_CLASSES: dict[str, type[ContinuoError]] = {
    "INVALID_ARGUMENT": BadDataError, "FAILED_PRECONDITION": BadDataError, "OUT_OF_RANGE": BadDataError,
    "NOT_FOUND": NotFoundError, "UNAVAILABLE": NoServerError, "UNIMPLEMENTED": NoServerError,
    "ALREADY_EXISTS": ExistsError, "DATA_LOSS": StorageError, "RESOURCE_EXHAUSTED": TryAgainError,
    "ABORTED": TryAgainError, "CANCELLED": TryAgainError, "DEADLINE_EXCEEDED": TryAgainError,
    "UNAUTHENTICATED": RefusedError, "PERMISSION_DENIED": RefusedError,
}


def make_error(status: str, message: str, reason: str = "", field: str = "") -> ContinuoError:
    """The exception for gRPC's name of a status. The reason decides where the status alone does not: a full disk."""
    kind = _CLASSES.get(status, FaultError)
    if status == "RESOURCE_EXHAUSTED" and "DISK" in reason:
        kind = StorageError
    return kind(message, reason, field, status)


def from_rpc(error: grpc.RpcError, address: str) -> ContinuoError:
    """gRPC's error as ours, with what its google.rpc details say; `address` is named where no daemon answered."""
    status = error.code().name
    message = error.details() or ""
    reason = field = ""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS:
            reason, field = read_details(value)
    if not reason and status == "UNAVAILABLE":
        reason, message = "NO_SERVER", f"no daemon answers at {address}; start continuod, or name another address"
    elif not reason and status == "DEADLINE_EXCEEDED":
        reason, message = status, f"the daemon at {address} did not answer in time; give it a longer timeout"
    elif not reason and status == "UNIMPLEMENTED":
        reason, message = status, f"the daemon at {address} does not know this call; is it older than this program?"
    return make_error(status, message, reason, field)


def read_details(blob: bytes) -> tuple[str, str]:
    """Reason (ErrorInfo.reason) and field (BadRequest.field_violations[0].field) of a google.rpc.Status.

    Read by hand: generated classes of google.rpc would clash with those of other packages in one process. Empty where
    it is not what it should be."""
    reason = field = ""
    try:
        for packed in _parts(blob, 3):
            name = b"".join(_parts(packed, 1)).rsplit(b"/", 1)[-1]
            body = b"".join(_parts(packed, 2))
            if name == b"google.rpc.ErrorInfo":
                reason = b"".join(_parts(body, 1)).decode()
            elif name == b"google.rpc.BadRequest":
                field = next((b"".join(_parts(part, 1)).decode() for part in _parts(body, 1)), "")
    except (ValueError, IndexError):
        pass
    return reason, field


def _parts(blob: bytes, wanted: int) -> Iterator[bytes]:
    """The length-delimited fields of a protobuf message that have this number."""
    at = 0
    while at < len(blob):
        key, at = _varint(blob, at)
        kind = key & 7
        if kind == 0:
            _, at = _varint(blob, at)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        elif kind == 2:
            size, at = _varint(blob, at)
            if at + size > len(blob):
                raise ValueError("cut off")
            if key >> 3 == wanted:
                yield blob[at:at + size]
            at += size
        else:
            raise ValueError("no protobuf")


def _varint(blob: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = blob[at]
        value |= (byte & 127) << shift
        at += 1
        shift += 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("no varint")
