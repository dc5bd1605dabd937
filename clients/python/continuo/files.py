"""Files of this machine: read in pieces, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import stat
import uuid
from types import TracebackType
from typing import Any

from .errors import BadDataError, ExistsError, NotFoundError, StorageError

PIECE_BYTES = 512 << 10


def read_session(session: str | os.PathLike[str] | dict[str, Any] | bytes) -> tuple[bytes, pathlib.Path | None]:
    """The file's content, and the folder that its relative media are in: that of the real file, not of a link to it."""
    if isinstance(session, bytes):
        return session, None
    if isinstance(session, dict):
        return json.dumps(session, ensure_ascii=False, allow_nan=False).encode(), None
    try:
        file = pathlib.Path(session).resolve(strict=True)
        return file.read_bytes(), file.parent
    except OSError as error:
        raise _cannot_read(session, error) from error


def write_session(file: pathlib.Path, text: bytes, overwrite: bool) -> None:
    """See NewFile."""
    with NewFile(file, overwrite) as fresh:
        fresh.write(text)
        fresh.publish()


class LocalFile:
    """A file that is sent: its length and SHA-256, then its pieces. Not for several threads at once."""

    def __init__(self, file: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(file)
        try:
            self._fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # never waits for a FIFO's writer
        except OSError as error:
            raise _cannot_read(file, error) from error
        status = os.fstat(self._fd)
        self.bytes = status.st_size
        if not stat.S_ISREG(status.st_mode):
            os.close(self._fd)
            raise NotFoundError(f"'{self.path}' is not a regular file", "NOT_A_FILE", str(self.path))

    def __enter__(self) -> LocalFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._fd)

    def sha256(self) -> str:
        """64 hexadecimal digits of the first `bytes` bytes."""
        digest, at = hashlib.sha256(), 0
        while piece := self.piece(at):
            digest.update(piece)
            at += len(piece)
        return digest.hexdigest()

    def piece(self, at: int) -> bytes:
        """What follows byte `at`; empty at the end. StorageError where the file became shorter meanwhile."""
        wanted = min(PIECE_BYTES, self.bytes - at)
        try:
            piece = os.pread(self._fd, wanted, at) if wanted > 0 else b""
        except OSError as error:
            raise StorageError(f"cannot read '{self.path}': {error.strerror}", "READ_FAILED", str(self.path)) from error
        if wanted > 0 and not piece:
            raise StorageError(f"'{self.path}' became shorter while it was read", "READ_FAILED", str(self.path))
        return piece


class NewFile:
    """A file that appears under its name whole and on the disk, or not at all. ExistsError at once where it is there and
    is not to be replaced, and again if it came meanwhile."""

    def __init__(self, file: str | os.PathLike[str], overwrite: bool) -> None:
        self.path = pathlib.Path(file)
        self._overwrite = overwrite
        self.bytes = 0
        self._digest = hashlib.sha256()
        if not overwrite and self.path.exists():
            raise self._exists()
        self._temporary = str(self.path.parent / f".{self.path.name[:80]}.{uuid.uuid4().hex}")
        try:
            self._stream = open(self._temporary, "xb", buffering=0)
        except OSError as error:
            raise ExistsError(f"cannot write '{self.path}': {error.strerror}", "CANNOT_CREATE", str(self.path)) from error

    def __enter__(self) -> NewFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()
        if self._temporary:
            os.unlink(self._temporary)

    def restart(self) -> None:
        """What was written is forgotten."""
        self._stream.seek(0)
        self._stream.truncate()
        self.bytes, self._digest = 0, hashlib.sha256()

    def write(self, data: bytes) -> None:
        """StorageError for a full disk."""
        left = memoryview(data)
        try:
            while left:
                left = left[self._stream.write(left):]
        except OSError as error:
            raise self._failed(error) from error
        self._digest.update(data)
        self.bytes += len(data)

    def sha256(self) -> str:
        """Of what was written."""
        return self._digest.hexdigest()

    def publish(self) -> None:
        """Gives it its name, once it is on the disk."""
        try:
            os.fsync(self._stream.fileno())
            if self._overwrite:
                os.replace(self._temporary, self.path)
            else:
                os.link(self._temporary, self.path)
                os.unlink(self._temporary)
            self._temporary = ""
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except FileExistsError as error:
            raise self._exists() from error
        except OSError as error:
            raise self._failed(error) from error

    def _exists(self) -> ExistsError:
        return ExistsError(f"'{self.path}' exists; overwrite=True replaces it", "FILE_EXISTS", str(self.path))

    def _failed(self, error: OSError) -> StorageError:
        return StorageError(f"cannot write '{self.path}': {error.strerror}", "WRITE_FAILED", str(self.path))


def _cannot_read(file: str | os.PathLike[str], error: OSError) -> NotFoundError | BadDataError:
    if isinstance(error, IsADirectoryError):
        return BadDataError(f"'{file}' is a folder", "NOT_A_FILE", str(file))
    return NotFoundError(f"cannot read '{file}': {error.strerror}", "FILE_NOT_READABLE", str(file))
