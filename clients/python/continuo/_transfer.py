"""What uploads and downloads share, whoever waits for them: what is sent, what came, and when to give up."""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from . import v1
from ._calls import Backoff, passes
from .errors import ContinuoError, StorageError
from .files import NewFile

#: Called with the bytes that are there and those of the whole file; of uploads from a thread of gRPC's.
Progress = Callable[[int, int], None]

# Passes by itself: the daemon has not noticed yet that the attempt before is over, or waited too long for us.
_PASSING_REASONS = {"TRANSFER_IDLE", "UPLOAD_BUSY", "UPLOAD_OFFSET"}


@dataclass
class Attempts:
    """A transfer goes on after an interruption, for as long as no more than retry_s pass without a byte."""

    retry_s: float
    backoff: Backoff = field(default_factory=Backoff)
    since: float = field(default_factory=time.monotonic)
    furthest: int = -1

    def reached(self, byte: int) -> None:
        if byte > self.furthest:
            self.furthest, self.since = byte, time.monotonic()
            self.backoff.reset()

    def left_s(self) -> float:
        return self.since + self.retry_s - time.monotonic()

    def pause_s(self, error: ContinuoError) -> float:
        """How long to wait before the next one. Raises the error where there is none."""
        again = passes(error.status) or error.reason in _PASSING_REASONS or (error.status == "CANCELLED" and not error.reason)
        pause = self.backoff.pause_s()
        if not again or pause > self.left_s():
            raise error
        return pause


def upload_begin(path: str, local: pathlib.Path, total_bytes: int, sha256: str, overwrite: bool) -> v1.UploadMediaRequest.Begin:
    """The file's own name where `path` ends in ':' or '/'."""
    name = local.name if path.endswith((":", "/")) else ""
    return v1.UploadMediaRequest.Begin(path=path + name, total_bytes=total_bytes, sha256=sha256, overwrite=overwrite)


def upload_query(begin: v1.UploadMediaRequest.Begin) -> v1.GetUploadRequest:
    return v1.GetUploadRequest(path=begin.path, total_bytes=begin.total_bytes, sha256=begin.sha256)


def may_be_ours(error: ContinuoError, attempt: int) -> bool:
    """The file is there: from the attempt before, whose answer was lost, if it is the same."""
    return attempt > 0 and error.reason == "FILE_EXISTS"


def download_target(path: str, file: str | os.PathLike[str] | None) -> pathlib.Path:
    """The name that the file has on the daemon, unless another one is given; in a folder where that is one."""
    name = path.replace(":", "/").rpartition("/")[2]
    target = pathlib.Path(name if file is None else file)
    return target / name if target.is_dir() else target


@dataclass
class Receiver:
    """A download into a file, over all of its attempts."""

    path: str
    fresh: NewFile
    attempts: Attempts
    progress: Progress | None
    head: v1.DownloadMediaResponse.Header | None = None

    def request(self) -> v1.DownloadMediaRequest:
        return v1.DownloadMediaRequest(path=self.path, offset=self.fresh.bytes, sha256=True)

    def take(self, message: v1.DownloadMediaResponse) -> bool:
        """True at the end, when the file is under its name. False for the next message. Restart where it raises."""
        kind = message.WhichOneof("kind")
        if kind == "header":
            if self.head is not None and (message.header.modified, message.header.total_bytes) != (
                    self.head.modified, self.head.total_bytes):
                self.head = None
                self.fresh.restart()
                raise ContinuoError(f"'{self.path}' changed while it was fetched", "FILE_CHANGED", "path", "UNAVAILABLE")
            self.head = message.header
        elif kind == "data":
            self.fresh.write(message.data)
            self.attempts.reached(self.fresh.bytes)
            if self.progress is not None and self.head is not None:
                self.progress(self.fresh.bytes, self.head.total_bytes)
        elif kind == "end":
            if message.end.sha256 != self.fresh.sha256():
                raise StorageError(f"what came of '{self.path}' is not what was sent", "SHA256_MISMATCH", self.path)
            self.fresh.publish()
            return True
        return False
