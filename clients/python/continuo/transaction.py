"""Transactions as blocks: what was said in it is sent at its end, as one."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from ._calls import Send
from .answers import Answer
from .errors import UsageError
from .operations import Operations

if TYPE_CHECKING:
    from .aio import AsyncClient
    from .client import Client


class _Block(Operations):
    def __init__(self, send: Send) -> None:
        super().__init__()
        self._how = send
        self._answer: Answer | None = None

    @property
    def answer(self) -> Answer:
        """What became of it. UsageError before the end of the block, and of a block without an operation."""
        if self._answer is None:
            raise UsageError("nothing was sent yet, or the block held no operation", "NOT_SENT")
        return self._answer


class Transaction(_Block):
    """See `Client.transaction`. An empty block sends nothing; one that raises sends nothing."""

    def __init__(self, client: Client, send: Send) -> None:
        super().__init__(send)
        self._client = client

    def __enter__(self) -> Transaction:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None and self.operations:
            self._answer = self._client._send(self.operations, self._how)


class AsyncTransaction(_Block):
    """See `AsyncClient.transaction`: `async with`, otherwise the same."""

    def __init__(self, client: AsyncClient, send: Send) -> None:
        super().__init__(send)
        self._client = client

    async def __aenter__(self) -> AsyncTransaction:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        if kind is None and self.operations:
            self._answer = await self._client._send(self.operations, self._how)
