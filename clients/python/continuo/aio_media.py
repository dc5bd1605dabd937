"""Files in the daemon's media roots, for asyncio; see `AsyncClient.media`. Disk work runs in threads of the loop's own."""

from __future__ import annotations

import asyncio
import os
import pathlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc

from . import v1
from ._calls import media_name, stub
from ._transfer import (Attempts, Progress, Receiver, download_target, may_be_ours, upload_begin, upload_query)
from .errors import ContinuoError, NoServerError, from_rpc
from .files import LocalFile, NewFile

if TYPE_CHECKING:
    from .aio import AsyncClient


class AsyncMedia:
    """See `Media`: the same, awaited."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._stub = stub("MediaServiceStub", client._channel)

    async def name_of(self, file: str | os.PathLike[str]) -> str | None:
        """See Media.name_of."""
        return media_name({root.name: root.path for root in (await self._client.info()).media_roots}, file)

    async def list(self, path: str = "", *, recursive: bool = False) -> AsyncIterator[v1.MediaEntry]:
        """See Media.list."""
        request = v1.ListMediaRequest(path=path, recursive=recursive, page_size=1000)
        while True:
            page = await self._client._call(v1.ListMediaResponse, self._stub.ListMedia, request)
            for entry in page.entries:
                yield entry
            request.page_token = page.next_page_token
            if not request.page_token:
                return

    async def probe(self, path: str) -> v1.ProbeMediaResponse:
        """See Media.probe."""
        return await self._client._call(v1.ProbeMediaResponse, self._stub.ProbeMedia, v1.ProbeMediaRequest(path=path))

    async def delete(self, path: str) -> None:
        """See Media.delete."""
        await self._client._call(v1.DeleteMediaResponse, self._stub.DeleteMedia, v1.DeleteMediaRequest(path=path),
                                 retry=False)

    async def put(self, file: str | os.PathLike[str], path: str, *, overwrite: bool = False, resume: bool = True,
                  progress: Progress | None = None) -> str:
        """See Media.put."""
        with LocalFile(file) as source:
            sha256 = await asyncio.to_thread(source.sha256)
            begin = upload_begin(path, source.path, source.bytes, sha256, overwrite)
            attempts, attempt = Attempts(self._client.retry_s), 0
            while True:
                try:
                    begin.start = await self._held(begin) if resume or attempt else 0
                    attempts.reached(begin.start)
                    await self._send(begin, source, progress)
                    return str(begin.path)
                except ContinuoError as error:
                    if may_be_ours(error, attempt) and await self._sha256(begin.path) == begin.sha256:
                        return str(begin.path)
                    pause = attempts.pause_s(error)
                attempt += 1
                await self._client._pause(pause, attempts.left_s())

    async def get(self, path: str, file: str | os.PathLike[str] | None = None, *, overwrite: bool = False,
                  progress: Progress | None = None) -> pathlib.Path:
        """See Media.get."""
        with NewFile(download_target(path, file), overwrite) as fresh:
            receiver = Receiver(path, fresh, Attempts(self._client.retry_s), progress)
            while True:
                try:
                    await self._receive(receiver)
                    return fresh.path
                except ContinuoError as error:
                    pause = receiver.attempts.pause_s(error)
                await self._client._pause(pause, receiver.attempts.left_s())

    async def _held(self, begin: v1.UploadMediaRequest.Begin) -> int:
        answer = await self._client._call(v1.GetUploadResponse, self._stub.GetUpload, upload_query(begin))
        return int(answer.received_bytes)

    async def _send(self, begin: v1.UploadMediaRequest.Begin, source: LocalFile, progress: Progress | None) -> None:
        failed: list[BaseException] = []

        async def messages() -> AsyncIterator[v1.UploadMediaRequest]:
            try:
                yield v1.UploadMediaRequest(begin=begin)
                at = begin.start
                while piece := await asyncio.to_thread(source.piece, at):
                    yield v1.UploadMediaRequest(data=piece)
                    at += len(piece)
                    if progress is not None:
                        progress(at, source.bytes)
            except Exception as error:
                failed.append(error)
                raise
        async def send() -> None:
            await self._stub.UploadMedia(messages(), metadata=self._client._metadata)
        try:
            await self._client._once(send)
        except (ContinuoError, asyncio.CancelledError):
            if failed:
                raise failed[0] from None
            raise

    async def _receive(self, receiver: Receiver) -> None:
        call = self._stub.DownloadMedia(receiver.request(), metadata=self._client._metadata)
        try:
            async for message in call:
                if await asyncio.to_thread(receiver.take, message):
                    return
        except grpc.RpcError as error:
            raise from_rpc(error, self._client.address) from error
        finally:
            call.cancel()
        raise NoServerError(f"'{receiver.path}' ended before its end", "STREAM_ENDED", "", "UNAVAILABLE")

    async def _sha256(self, path: str) -> str:
        """Of the whole file there; empty where it cannot be said."""
        call = self._stub.DownloadMedia(v1.DownloadMediaRequest(path=path, length=0, sha256=True),
                                        metadata=self._client._metadata)
        try:
            async for message in call:
                if message.WhichOneof("kind") == "end":
                    return str(message.end.sha256)
        except grpc.RpcError:
            pass
        return ""
