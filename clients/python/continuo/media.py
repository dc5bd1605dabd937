"""Files in the daemon's media roots, for threads; see `Client.media`."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import grpc

from . import v1
from ._calls import media_name, stub
from ._transfer import (Attempts, Progress, Receiver, download_target, may_be_ours, upload_begin, upload_query)
from .errors import ContinuoError, NoServerError, from_rpc
from .files import LocalFile, NewFile

if TYPE_CHECKING:
    from .client import Client


class Media:
    """A path is "root:relative"; "takes:" is the take folder. Uploads and downloads last as long as they last and go on by
    themselves after an interruption; they give up where no byte passes for the client's retry_s."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stub = stub("MediaServiceStub", client._channel)

    def name_of(self, file: str | os.PathLike[str]) -> str | None:
        """"root:relative" of a file or folder of this machine, by the deepest media root that holds it; None where none
        does, or the daemon is on another machine."""
        return media_name({root.name: root.path for root in self._client.info().media_roots}, file)

    def list(self, path: str = "", *, recursive: bool = False) -> Iterator[v1.MediaEntry]:
        """What is in "root:" or "root:folder", in the order of the names' bytes; "": the roots themselves."""
        request = v1.ListMediaRequest(path=path, recursive=recursive, page_size=1000)
        while True:
            page = self._client._call(v1.ListMediaResponse, self._stub.ListMedia, request)
            yield from page.entries
            request.page_token = page.next_page_token
            if not request.page_token:
                return

    def probe(self, path: str) -> v1.ProbeMediaResponse:
        """Format, channels, length, markers; `playable` is False, and `why_not` says why, of what is no audio."""
        return self._client._call(v1.ProbeMediaResponse, self._stub.ProbeMedia, v1.ProbeMediaRequest(path=path))

    def delete(self, path: str) -> None:
        """BadDataError (MEDIA_IN_USE) where the session uses it, or a take is being written to it."""
        self._client._call(v1.DeleteMediaResponse, self._stub.DeleteMedia, v1.DeleteMediaRequest(path=path), retry=False)

    def put(self, file: str | os.PathLike[str], path: str, *, overwrite: bool = False, resume: bool = True,
            progress: Progress | None = None) -> str:
        """Sends a file of this machine; returns its path there. Where `path` ends in ":" or "/" the name stays. It appears
        there whole and with the right SHA-256, or not at all. `resume`: goes on from what an earlier call left, within
        24 hours. ExistsError (FILE_EXISTS) unless `overwrite`; BadDataError (MEDIA_IN_USE) where the session uses it."""
        with LocalFile(file) as source:
            begin = upload_begin(path, source.path, source.bytes, source.sha256(), overwrite)
            attempts, attempt = Attempts(self._client.retry_s), 0
            while True:
                try:
                    begin.start = self._held(begin) if resume or attempt else 0
                    attempts.reached(begin.start)
                    self._send(begin, source, progress)
                    return str(begin.path)
                except ContinuoError as error:
                    if may_be_ours(error, attempt) and self._sha256(begin.path) == begin.sha256:
                        return str(begin.path)
                    pause = attempts.pause_s(error)
                attempt += 1
                self._client._pause(pause, attempts.left_s())

    def get(self, path: str, file: str | os.PathLike[str] | None = None, *, overwrite: bool = False,
            progress: Progress | None = None) -> pathlib.Path:
        """Fetches a file; returns where it is now: `file`, or in that folder, or under its own name in the working folder.
        It appears there whole and with the right SHA-256, or not at all. ExistsError unless `overwrite`."""
        with NewFile(download_target(path, file), overwrite) as fresh:
            receiver = Receiver(path, fresh, Attempts(self._client.retry_s), progress)
            while True:
                try:
                    self._receive(receiver)
                    return fresh.path
                except ContinuoError as error:
                    pause = receiver.attempts.pause_s(error)
                self._client._pause(pause, receiver.attempts.left_s())

    def _held(self, begin: v1.UploadMediaRequest.Begin) -> int:
        answer = self._client._call(v1.GetUploadResponse, self._stub.GetUpload, upload_query(begin))
        return int(answer.received_bytes)

    def _send(self, begin: v1.UploadMediaRequest.Begin, source: LocalFile, progress: Progress | None) -> None:
        failed: list[BaseException] = []

        def messages() -> Iterator[v1.UploadMediaRequest]:
            try:
                yield v1.UploadMediaRequest(begin=begin)
                at = begin.start
                while piece := source.piece(at):
                    yield v1.UploadMediaRequest(data=piece)
                    at += len(piece)
                    if progress is not None:
                        progress(at, source.bytes)
            except Exception as error:  # gRPC would tell of it without its name
                failed.append(error)
                raise
        def send() -> None:
            self._stub.UploadMedia(messages(), metadata=self._client._metadata)
        try:
            self._client._once(send)
        except ContinuoError:
            if failed:
                raise failed[0] from None
            raise

    def _receive(self, receiver: Receiver) -> None:
        call = self._stub.DownloadMedia(receiver.request(), metadata=self._client._metadata)
        try:
            for message in call:
                if receiver.take(message):
                    return
        except grpc.RpcError as error:
            raise from_rpc(error, self._client.address) from error
        finally:
            call.cancel()
        raise NoServerError(f"'{receiver.path}' ended before its end", "STREAM_ENDED", "", "UNAVAILABLE")

    def _sha256(self, path: str) -> str:
        """Of the whole file there; empty where it cannot be said."""
        call = self._stub.DownloadMedia(v1.DownloadMediaRequest(path=path, length=0, sha256=True),
                                        metadata=self._client._metadata)
        try:
            return next((str(m.end.sha256) for m in call if m.WhichOneof("kind") == "end"), "")
        except grpc.RpcError:
            return ""
